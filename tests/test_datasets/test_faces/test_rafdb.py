from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from eac_mm.datasets.faces.rafdb import RAFDB

LISTS = Path(__file__).parents[3].parent / 'shared' / 'data' / 'rafdb_labels'
needs_lists = pytest.mark.skipif(
    not LISTS.is_dir(), reason='the lists of RAF-DB are not here'
)

LINES = (
    'train_00001.jpg 5',
    'train_00002.jpg 1',
    'test_0001.jpg 7',
    'train_00004.jpg 7',
    'test_0002.jpg 4',
)


def make(root, lines=LINES, images=None):
    """Lay out a small RAF-DB; by default with the images of LINES."""
    (root / 'EmoLabel').mkdir()
    (root / 'EmoLabel' / 'list_patition_label.txt').write_text('\n'.join(lines) + '\n')
    folder = root / 'Image' / 'aligned'
    folder.mkdir(parents=True)
    if images is None:
        images = [line.split('.')[0] + '_aligned.jpg' for line in LINES]
    for name in images:
        (folder / name).touch()
    return root


def test_train(tmp_path):
    dataset = RAFDB(str(make(tmp_path)))
    assert len(dataset) == 3
    assert [dataset.get_data_info(i) for i in range(3)] == [
        {
            'img_path': str(tmp_path / 'Image' / 'aligned' / f'{stem}_aligned.jpg'),
            'gt_label': label,
            'name': f'{stem}.jpg',
            'sample_idx': index,
        }
        for index, (stem, label) in enumerate(
            [('train_00001', 4), ('train_00002', 0), ('train_00004', 6)]
        )
    ]


def test_test(tmp_path):
    dataset = RAFDB(str(make(tmp_path)), split='test')
    assert dataset.get_gt_labels().tolist() == [6, 3]
    assert [dataset.get_data_info(i)['name'] for i in range(2)] == [
        'test_0001.jpg',
        'test_0002.jpg',
    ]


def test_classes_and_defaults(tmp_path):
    dataset = RAFDB(str(make(tmp_path)))
    assert dataset.metainfo['classes'] == (
        'surprise',
        'fear',
        'disgust',
        'happy',
        'sad',
        'angry',
        'neutral',
    )
    assert dataset.max_refetch == 0
    assert dataset.test_mode is False


def test_registered_and_takes_base_arguments(tmp_path):
    dataset = DATASETS.build(
        {
            'type': 'RAFDB',
            'data_root': str(make(tmp_path)),
            'indices': 2,
            'max_refetch': 3,
            'test_mode': True,
            'serialize_data': False,
        }
    )
    assert dataset.get_gt_labels().tolist() == [4, 0]
    assert dataset.max_refetch == 3
    assert dataset.test_mode is True


def test_lazy_init_reads_nothing(tmp_path):
    dataset = RAFDB(str(tmp_path / 'nowhere'), lazy_init=True)
    with pytest.raises(FileNotFoundError, match='nowhere'):
        len(dataset)


@pytest.mark.parametrize('absolute', [True, False])
def test_other_list(tmp_path, absolute):
    make(tmp_path)
    noisy = tmp_path / 'noise.txt'
    noisy.write_text('train_00002.jpg 3\ntrain_00001.jpg 2\n')
    ann_file = str(noisy) if absolute else 'noise.txt'
    dataset = RAFDB(str(tmp_path), ann_file=ann_file)
    assert dataset.get_gt_labels().tolist() == [2, 1]
    assert dataset.get_data_info(0)['name'] == 'train_00002.jpg'


def test_other_image_folder(tmp_path):
    make(tmp_path)
    (tmp_path / 'Image' / 'aligned').rename(tmp_path / 'faces')
    dataset = RAFDB(str(tmp_path), data_prefix='faces')
    assert dataset.get_data_info(0)['img_path'] == str(
        tmp_path / 'faces' / 'train_00001_aligned.jpg'
    )


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'rafdb').mkdir()
    make(tmp_path / 'rafdb')
    assert len(RAFDB('~/rafdb')) == 3


def test_read_label_list(tmp_path):
    make(tmp_path)
    dataset = RAFDB(str(tmp_path), lazy_init=True)
    assert dataset.read_label_list(dataset.ann_file) == [
        ('train_00001.jpg', 4),
        ('train_00002.jpg', 0),
        ('test_0001.jpg', 6),
        ('train_00004.jpg', 6),
        ('test_0002.jpg', 3),
    ]


def test_a_list_may_name_the_files_on_disk(tmp_path):
    lines = ('train_00001_aligned.jpg 5', 'train_00002.jpg 1', 'test_0001.jpg 7')
    dataset = RAFDB(str(make(tmp_path, lines)))
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [info['name'] for info in infos] == ['train_00001.jpg', 'train_00002.jpg']
    assert infos[0]['img_path'].endswith('/train_00001_aligned.jpg')
    with (tmp_path / 'EmoLabel' / 'list_patition_label.txt').open('a') as file:
        file.write('train_00001.jpg 4\n')
    with pytest.raises(ValueError, match=r'txt:4: .*face once; it is on line 1 too'):
        RAFDB(str(tmp_path))


def test_blank_lines_at_the_end(tmp_path):
    assert len(RAFDB(str(make(tmp_path, (*LINES, '', ' ', ''))))) == 3


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('train_00001.jpg', "expected 'train_00001.jpg 5' or the like"),
        ('train_00001.jpg 5 6', "expected 'train_00001.jpg 5' or the like"),
        ('train_00001.jpg five', "expected 'train_00001.jpg 5' or the like"),
        ('train_00001.jpg,5', "expected 'train_00001.jpg 5' or the like"),
        ('train_00001.jpg -1', "expected 'train_00001.jpg 5' or the like"),
        ('valid_00001.jpg 5', "expected 'train_00001.jpg 5' or the like"),
        ('train_00001.jpg 0', 'expected a label from 1 to 7'),
        ('train_00001.jpg 8', 'expected a label from 1 to 7'),
        ('../train_00001.jpg 5', 'could leave the data root'),
        ('/train_00001.jpg 5', 'could leave the data root'),
        ('test_0001.jpg 7', 'expected each face once; it is on line 1 too'),
    ],
)
def test_bad_line(tmp_path, line, message):
    make(tmp_path, ('test_0001.jpg 7', line))
    with pytest.raises(ValueError, match=rf"label.txt:2: '{line}': .*{message}"):
        RAFDB(str(tmp_path))


def test_unknown_split(tmp_path):
    with pytest.raises(
        ValueError, match=r"split='val' is unknown. Fix: choose one of 'train', 'test'"
    ):
        RAFDB(str(tmp_path), split='val', lazy_init=True)


def test_missing_root(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"folder '.*raf' does not exist.*whdeng.cn/raf/model1"
    ):
        RAFDB(str(tmp_path / 'raf'))


def test_missing_list(tmp_path):
    make(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"file '.*noise9.txt' does not exist.*whdeng.cn"
    ):
        RAFDB(str(tmp_path), ann_file='noise9.txt')


def test_missing_image_folder(tmp_path):
    make(tmp_path, images=[])
    (tmp_path / 'Image' / 'aligned').rmdir()
    with pytest.raises(
        FileNotFoundError, match=r"folder '.*aligned' does not exist.*whdeng.cn"
    ):
        RAFDB(str(tmp_path))


def test_empty_image_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"aligned' is empty.*whdeng.cn"):
        RAFDB(str(make(tmp_path, images=[])))


def test_missing_images(tmp_path):
    make(tmp_path, images=['train_00002_aligned.jpg'])
    with pytest.raises(
        FileNotFoundError,
        match=r'2 of 3 listed images .*: train_00001_aligned.jpg, '
        r'train_00004_aligned.jpg\. Fix: request RAF-DB',
    ):
        RAFDB(str(tmp_path))


def test_split_without_faces(tmp_path):
    make(tmp_path, LINES[:2])
    with pytest.raises(
        ValueError, match=r"lists no face of split 'test'.*noisy labels have train"
    ):
        RAFDB(str(tmp_path), split='test')


@needs_lists
def test_official_sizes(tmp_path):
    rows = RAFDB(str(tmp_path), lazy_init=True).read_label_list(
        LISTS / 'list_patition_label.txt'
    )
    folder = tmp_path / 'Image' / 'aligned'
    folder.mkdir(parents=True)
    for name, _ in rows:
        (folder / name.replace('.jpg', '_aligned.jpg')).touch()
    official = {'ann_file': str(LISTS / 'list_patition_label.txt')}
    train = RAFDB(str(tmp_path), **official)
    test = RAFDB(str(tmp_path), split='test', **official)
    assert (len(train), len(test)) == (12_271, 3_068)
    assert np.bincount(train.get_gt_labels()).tolist() == [
        1290,
        281,
        717,
        4772,
        1982,
        705,
        2524,
    ]
    noisy = RAFDB(str(tmp_path), ann_file=str(LISTS / 'noise01.txt'))
    assert len(noisy) == 12_271


@needs_lists
@pytest.mark.parametrize(('noise', 'flips'), [('01', 1241), ('02', 2498), ('03', 3722)])
def test_noise_lists_of_the_authors(tmp_path, noise, flips):
    dataset = RAFDB(str(tmp_path), lazy_init=True)
    clean = dict(dataset.read_label_list(LISTS / 'list_patition_label.txt'))
    given = dataset.read_label_list(LISTS / f'noise{noise}.txt')
    assert len(given) == 12_271
    assert {name.split('_')[0] for name, _ in given} == {'train'}
    assert Counter(clean[name] != label for name, label in given)[True] == flips
