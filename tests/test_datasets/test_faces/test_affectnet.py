import cv2
import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from eac_mm.datasets import AffectNet, NoisyLabels
from eac_mm.datasets.faces.affectnet_files import COLUMNS

SEVEN = ('surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral')
HEADER = ','.join(COLUMNS)
# ids 0 to 10 in order, and the label each has among seven classes
LABELS = [6, 3, 4, 0, 1, 2, 5]


def row(name, expression, box='1,2,3,4'):
    return f'{name},{box},10.5;20;30.25;40,{expression},-0.25,0.5'


ROWS = [row(f'{i % 2}/{i:x}f.jpg', i) for i in range(11)]


def make_csv(root, rows=ROWS, header=HEADER, split='training'):
    """Lay out a small csv release, with an image for every row."""
    (root / f'{split}.csv').write_text('\n'.join([header, *rows]) + '\n')
    folder = root / 'Manually_Annotated_Images'
    folder.mkdir(exist_ok=True)
    for line in rows:
        name = line.split(',')[0]
        if '..' not in name and name[:1] not in ('/', ''):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).touch()
    return root


def make_npy(root, ids, split='train'):
    """Lay out a small npy release of these expression ids."""
    for part in ('images', 'annotations'):
        (root / f'{split}_set' / part).mkdir(parents=True)
    for i, expression in enumerate(ids):
        (root / f'{split}_set' / 'images' / f'{i}.jpg').touch()
        folder = root / f'{split}_set' / 'annotations'
        np.save(folder / f'{i}_exp.npy', expression)
        np.save(folder / f'{i}_val.npy', '0.5')
    return root


def labels(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(info['name'], info['gt_label']) for info in infos]


def test_csv(tmp_path):
    dataset = AffectNet(str(make_csv(tmp_path)))
    names = ['0/0f.jpg', '1/1f.jpg', '0/2f.jpg', '1/3f.jpg', '0/4f.jpg', '1/5f.jpg']
    assert labels(dataset) == list(zip([*names, '0/6f.jpg'], LABELS, strict=True))
    assert dataset.metainfo['classes'] == SEVEN
    assert dataset.max_refetch == 0
    assert dataset.get_data_info(1) == {
        'img_path': str(tmp_path / 'Manually_Annotated_Images' / '1' / '1f.jpg'),
        'gt_label': 3,
        'name': '1/1f.jpg',
        'sample_idx': 1,
    }


def test_csv_of_eight_classes(tmp_path):
    dataset = AffectNet(str(make_csv(tmp_path)), num_classes=8)
    assert dataset.get_gt_labels().tolist() == [*LABELS, 7]
    assert dataset.metainfo['classes'] == (*SEVEN, 'contempt')


def test_csv_validation(tmp_path):
    make_csv(tmp_path)
    make_csv(tmp_path, [row('7/x.png', 4), row('7/y.jpg', 9)], split='validation')
    assert labels(AffectNet(str(tmp_path), split='val')) == [('7/x.png', 1)]


def test_csv_elsewhere(tmp_path):
    make_csv(tmp_path)
    (tmp_path / 'lists').mkdir()
    (tmp_path / 'training.csv').rename(tmp_path / 'lists' / 'mine.csv')
    (tmp_path / 'Manually_Annotated_Images').rename(tmp_path / 'faces')
    dataset = AffectNet(str(tmp_path), ann_file='lists/mine.csv', data_prefix='faces')
    assert dataset.get_gt_labels().tolist() == LABELS
    assert dataset.get_data_info(0)['img_path'] == str(
        tmp_path / 'faces' / '0' / '0f.jpg'
    )


def test_boxes(tmp_path):
    rows = [
        row('a/a.jpg', 0, '10,20,30,40'),
        row('a/b.jpg', 1, '-5,0,30,40'),
        row('a/c.jpg', 2, '-1,-1,-1,-1'),
        row('a/d.jpg', 10, '0,0,0,0'),
    ]
    dataset = AffectNet(str(make_csv(tmp_path, rows)), crop=True)
    boxes = [dataset.get_data_info(i)['bbox'] for i in range(len(dataset))]
    assert boxes == [(10, 20, 30, 40), (-5, 0, 30, 40), None]
    assert 'bbox' not in AffectNet(str(tmp_path)).get_data_info(0)


def test_a_face_is_cropped_and_loaded(tmp_path):
    make_csv(tmp_path, [row('a/a.png', 3, '2,1,4,3')])
    image = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    cv2.imwrite(str(tmp_path / 'Manually_Annotated_Images' / 'a' / 'a.png'), image)
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='CropFace'),
        dict(type='PackInputs'),
    ]
    sample = AffectNet(str(tmp_path), crop=True, pipeline=pipeline)[0]
    expected = image[1:4, 2:6].transpose(2, 0, 1)
    assert sample['inputs'].tolist() == expected.tolist()
    assert sample['data_samples'].gt_label.tolist() == [0]


def test_repeats_count_twice_and_contradictions_are_refused(tmp_path):
    make_csv(tmp_path, [row('a/a.jpg', 3), row('a/a.jpg', 3)])
    assert AffectNet(str(tmp_path)).get_gt_labels().tolist() == [0, 0]
    make_csv(tmp_path, [row('a/a.jpg', 3), row('a/a.jpg', 4)])
    with pytest.raises(
        ValueError, match=r"csv:3: .*expression of line 2, 'surprise'.*is 'fear'"
    ):
        AffectNet(str(tmp_path))


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        (row('a/b.jpg', 11), 'expected an expression id from 0 to 10'),
        (row('a/b.jpg', -1), 'expected an expression id from 0 to 10'),
        (row('a/b.jpg', 'sad'), 'expected an expression id from 0 to 10'),
        (row('a/b.jpg', ''), 'expected an expression id from 0 to 10'),
        (row('a/b.jpg', 1, '1,2,3'), 'expected 9 fields, found 8'),
        (row('../b.jpg', 1), 'could leave the data root'),
        (row('a/../../b.jpg', 10), 'could leave the data root'),
        (row('/b.jpg', 1), 'could leave the data root'),
        (row('C:b.jpg', 1), 'could leave the data root'),
        (row('', 1), 'could leave the data root'),
        (row('a/b.jpg', 1, '1,2,NULL,4'), 'whole numbers as face_x.*crop=False'),
    ],
)
def test_bad_row(tmp_path, line, message):
    make_csv(tmp_path, [ROWS[0]])
    with (tmp_path / 'training.csv').open('a') as file:
        file.write(line)
    with pytest.raises(ValueError, match=rf'training.csv:3: .*{message}'):
        AffectNet(str(tmp_path), crop=True)


def test_bad_boxes_are_fine_where_not_asked_for(tmp_path):
    make_csv(tmp_path, [row('a/b.jpg', 1, 'NULL,NULL,NULL,NULL')])
    assert AffectNet(str(tmp_path)).get_gt_labels().tolist() == [3]


def test_bad_header(tmp_path):
    make_csv(tmp_path, header=HEADER.replace('valence,arousal', 'arousal,valence'))
    with pytest.raises(ValueError, match=r'csv:1: .*expected the header subDirectory'):
        AffectNet(str(tmp_path))


def test_csv_without_faces(tmp_path):
    with pytest.raises(ValueError, match=r"no face of split 'train'.*are 0 to 7"):
        AffectNet(str(make_csv(tmp_path, [ROWS[8]])))


def test_missing_images_of_csv(tmp_path):
    make_csv(tmp_path)
    folder = tmp_path / 'Manually_Annotated_Images'
    for name in ('1/1f.jpg', '1/5f.jpg'):
        (folder / name).unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r"2 of 3 listed images.*Images/1': 1f.jpg, 5f.jpg\. F",
    ):
        AffectNet(str(tmp_path))
    (folder / '0').rename(tmp_path / 'away')
    with pytest.raises(FileNotFoundError, match=r"Images/0' does not exist.*mahoor"):
        AffectNet(str(tmp_path))
    folder.rename(tmp_path / 'gone')
    with pytest.raises(
        FileNotFoundError, match=r"Manually_Annotated_Images' does not exist.*mahoor"
    ):
        AffectNet(str(tmp_path))


@pytest.mark.parametrize('kind', [str, int, np.int64, np.uint8])
def test_npy(tmp_path, kind):
    make_npy(tmp_path, [kind(i) for i in (*range(8), 8, 9, 3, 10)])
    dataset = AffectNet(str(tmp_path))
    names = [f'{i}.jpg' for i in (*range(7), 10)]
    assert labels(dataset) == list(zip(names, [*LABELS, 0], strict=True))
    assert dataset.get_data_info(7)['img_path'] == str(
        tmp_path / 'train_set' / 'images' / '10.jpg'
    )
    eight = AffectNet(str(tmp_path), num_classes=8)
    assert eight.get_gt_labels().tolist() == [*LABELS, 7, 0]


def test_npy_validation(tmp_path):
    make_npy(tmp_path, ['0'])
    make_npy(tmp_path, ['6', '1'], split='val')
    assert AffectNet(str(tmp_path), split='val').get_gt_labels().tolist() == [5, 3]


def test_npy_bad_id(tmp_path):
    make_npy(tmp_path, ['0', '11'])
    with pytest.raises(ValueError, match=r"1_exp.npy: '11' of type <U2: expected an"):
        AffectNet(str(tmp_path))


def test_npy_lacking_one_or_the_other(tmp_path):
    make_npy(tmp_path, list('012345'))
    folder = tmp_path / 'train_set'
    (folder / 'images' / '2.jpg').rename(tmp_path / '2.jpg')
    with pytest.raises(
        FileNotFoundError, match=r"1 of 6 listed images.*images': 2.jpg\. Fix"
    ):
        AffectNet(str(tmp_path))
    (tmp_path / '2.jpg').rename(folder / 'images' / '2.jpg')
    for i in (1, 2, 3, 4):
        (folder / 'annotations' / f'{i}_exp.npy').unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r'4 images.*no expression in .*: 1_exp.npy, 2_exp.npy, 3_exp.npy, \.\.',
    ):
        AffectNet(str(tmp_path))


@pytest.mark.parametrize('part', ['images', 'annotations'])
def test_npy_missing_folder(tmp_path, part):
    make_npy(tmp_path, ['0'])
    (tmp_path / 'train_set' / part).rename(tmp_path / part)
    with pytest.raises(FileNotFoundError, match=f"{part}' does not exist.*mahoor"):
        AffectNet(str(tmp_path))


def test_npy_without_faces(tmp_path):
    with pytest.raises(ValueError, match=r"no face of split 'train'.*are 0 to 7"):
        AffectNet(str(make_npy(tmp_path, ['9'])))
    with pytest.raises(FileNotFoundError, match="images' is empty"):
        AffectNet(str(make_npy(tmp_path, [], split='val')), split='val')


def test_npy_has_no_boxes(tmp_path):
    with pytest.raises(ValueError, match='cropped already. Fix: set crop=False'):
        AffectNet(str(make_npy(tmp_path, ['0'])), crop=True)


def test_layouts(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Neither '.*training.csv' nor .*_set"):
        AffectNet(str(tmp_path))
    make_csv(tmp_path)
    make_npy(tmp_path, ['3'])
    with pytest.raises(ValueError, match=r"both .*layout='csv' or layout='npy'"):
        AffectNet(str(tmp_path))
    assert AffectNet(str(tmp_path), layout='csv').get_gt_labels().tolist() == LABELS
    assert AffectNet(str(tmp_path), layout='npy').get_gt_labels().tolist() == [0]
    (tmp_path / 'training.csv').unlink()
    with pytest.raises(
        FileNotFoundError, match=r"training.csv' does not exist.*mahoor"
    ):
        AffectNet(str(tmp_path), layout='csv')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (
            {'split': 'test'},
            r"split='test' is unknown. Fix: .* 'train', 'val'",
        ),
        ({'num_classes': 6}, 'num_classes=6 is unknown. Fix: choose one of 7, 8'),
        (
            {'layout': 'zip'},
            r"layout='zip' is unknown. Fix: .* 'auto', 'csv', 'npy'",
        ),
    ],
)
def test_bad_argument(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        AffectNet(str(tmp_path), lazy_init=True, **arguments)


def test_lazy_init_reads_nothing(tmp_path):
    dataset = AffectNet(str(tmp_path / 'nowhere'), lazy_init=True)
    with pytest.raises(FileNotFoundError, match=r"nowhere' does not exist.*mahoor"):
        len(dataset)


def test_registered_and_takes_base_arguments_and_noise(tmp_path):
    dataset = DATASETS.build(
        {
            'type': 'AffectNet',
            'data_root': str(make_csv(tmp_path)),
            'indices': [2, 0],
            'max_refetch': 3,
            'serialize_data': False,
        }
    )
    assert dataset.get_gt_labels().tolist() == [4, 6]
    assert dataset.max_refetch == 3
    noisy = NoisyLabels(dataset)
    assert noisy.name_of(0) == '0/2f.jpg'
    assert noisy.CLASSES == SEVEN
