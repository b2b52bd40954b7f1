import cv2
import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from eac_mm.datasets import NoisyLabels, TinyImageNet, listing

WNIDS = ('n02124075', 'n01443537', 'n04067472')  # as in the file: not sorted
VAL = (
    'val_0.JPEG\tn04067472\t0\t32\t44\t62',
    'val_1.JPEG\tn02124075\t52\t55\t57\t59',
    'val_2.JPEG\tn02124075\t4\t0\t60\t55',
)


def make(root, wnids=WNIDS, val=VAL):
    """Lay out a small Tiny-ImageNet: two training images a class."""
    (root / 'wnids.txt').write_text('\n'.join(wnids) + '\n')
    (root / 'words.txt').write_text('n01443537\tgoldfish, Carassius auratus\n')
    for wnid in WNIDS:
        folder = root / 'train' / wnid / 'images'
        folder.mkdir(parents=True)
        (folder.parent / f'{wnid}_boxes.txt').write_text(f'{wnid}_0.JPEG\t0\t0\t9\t9\n')
        for i in (1, 0):
            (folder / f'{wnid}_{i}.JPEG').touch()
    (root / 'val' / 'images').mkdir(parents=True)
    (root / 'val' / 'val_annotations.txt').write_text('\n'.join(val) + '\n')
    for i in range(3):
        (root / 'val' / 'images' / f'val_{i}.JPEG').touch()
    return root


def labels(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(info['name'], info['gt_label']) for info in infos]


def test_train(tmp_path):
    dataset = TinyImageNet(str(make(tmp_path)))
    assert dataset.metainfo['classes'] == ('n01443537', 'n02124075', 'n04067472')
    assert labels(dataset) == [
        ('n01443537_0.JPEG', 0),
        ('n01443537_1.JPEG', 0),
        ('n02124075_0.JPEG', 1),
        ('n02124075_1.JPEG', 1),
        ('n04067472_0.JPEG', 2),
        ('n04067472_1.JPEG', 2),
    ]
    assert dataset.get_data_info(3) == {
        'img_path': str(
            tmp_path / 'train' / 'n02124075' / 'images' / 'n02124075_1.JPEG'
        ),
        'gt_label': 1,
        'name': 'n02124075_1.JPEG',
        'sample_idx': 3,
    }
    assert dataset.max_refetch == 0


def test_val(tmp_path):
    dataset = TinyImageNet(str(make(tmp_path)), split='val')
    assert dataset.metainfo['classes'] == ('n01443537', 'n02124075', 'n04067472')
    assert labels(dataset) == [('val_0.JPEG', 2), ('val_1.JPEG', 1), ('val_2.JPEG', 1)]
    assert dataset.get_data_info(0)['img_path'] == str(
        tmp_path / 'val' / 'images' / 'val_0.JPEG'
    )


def test_own_class_names(tmp_path):
    names = ['goldfish', 'cat', 'reel']
    dataset = TinyImageNet(str(make(tmp_path)), split='val', classes=names)
    assert dataset.metainfo['classes'] == tuple(names)
    assert dataset.get_gt_labels().tolist() == [2, 1, 1]


def test_registered_and_takes_base_arguments_and_noise(tmp_path):
    noisy = DATASETS.build(
        dict(
            type='NoisyLabels',
            dataset=dict(
                type='TinyImageNet',
                data_root=str(make(tmp_path)),
                indices=[5, 0],
                lazy_init=True,
            ),
        )
    )
    assert isinstance(noisy, NoisyLabels)
    assert noisy.get_gt_labels().tolist() == [2, 0]
    assert noisy.name_of(0) == 'n04067472_1.JPEG'


def test_grey_images_have_three_channels(tmp_path):
    make(tmp_path)
    image = np.full((64, 64), 77, np.uint8)
    cv2.imwrite(str(tmp_path / 'val' / 'images' / 'val_0.JPEG'), image)
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    inputs = TinyImageNet(str(tmp_path), split='val', pipeline=pipeline)[0]['inputs']
    assert inputs.shape == (3, 64, 64)
    assert inputs.unique().tolist() == [77]


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('goldfish', "expected a WordNet id such as 'n01443537'"),
        ('../../etc', 'expected a WordNet id'),
        ('n0144353', 'expected a WordNet id'),
        ('n02124075', 'expected each class once; it is on line 1 too'),
    ],
)
def test_bad_class(tmp_path, line, message):
    make(tmp_path, wnids=('n02124075', line))
    with pytest.raises(ValueError, match=rf"wnids.txt:2: '{line}': {message}"):
        TinyImageNet(str(tmp_path))


def test_no_class(tmp_path):
    with pytest.raises(ValueError, match="wnids.txt' lists no class. Fix: unpack"):
        TinyImageNet(str(make(tmp_path, wnids=())))


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ('val_1.JPEG\tn99999999\t0\t0\t1\t1', "class of wnids.txt, .*'n01443537'"),
        ('val_1.JPEG', 'a tab and a class of wnids.txt'),
        ('val_1.JPEG n02124075 0 0 1 1', 'a tab and a class of wnids.txt'),
        ('../val_1.JPEG\tn02124075\t0\t0\t1\t1', 'could leave the data root'),
        ('val_0.JPEG\tn02124075\t0\t0\t1\t1', 'each image once; it is on line 1 too'),
    ],
)
def test_bad_annotation(tmp_path, line, message):
    make(tmp_path, val=(VAL[0], line))
    with pytest.raises(ValueError, match=rf'val_annotations.txt:2: .*{message}'):
        TinyImageNet(str(tmp_path), split='val')


def test_no_annotation(tmp_path):
    with pytest.raises(ValueError, match="annotations.txt' lists no image. Fix: "):
        TinyImageNet(str(make(tmp_path, val=())), split='val')


def test_unknown_folder(tmp_path):
    make(tmp_path, wnids=WNIDS[:2])
    with pytest.raises(
        ValueError, match=r"train' has 1 folders .*wnids.txt.*\(first: n04067472\)"
    ):
        TinyImageNet(str(tmp_path))


def test_what_programs_leave_behind_is_left_out(tmp_path, monkeypatch):
    make(tmp_path)
    expected = labels(TinyImageNet(str(tmp_path)))
    said = []
    monkeypatch.setattr(listing, 'print_log', lambda text, **_: said.append(text))
    train = tmp_path / 'train'
    for name in ('.ipynb_checkpoints', '@eaDir', '__MACOSX'):
        (train / name).mkdir()
    images = train / 'n02124075' / 'images'
    for name in ('._n02124075_0.JPEG', 'n02124075_0.JPEG~', 'n02124075_0.png'):
        (images / name).touch()
    assert labels(TinyImageNet(str(tmp_path))) == expected
    assert said[0].split('\n  ')[0].startswith('TinyImageNet: 6 files or folders in')
    assert '1 with another ending than .JPEG: ' in said[0]
    assert "'n02124075/images/n02124075_0.png'" in said[0]


def test_missing_folders_and_lists(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none' does not exist.*cs231n"):
        TinyImageNet(str(tmp_path / 'none'))
    with pytest.raises(FileNotFoundError, match=r"wnids.txt' does not exist.*cs231n"):
        TinyImageNet(str(tmp_path))
    make(tmp_path)
    images = tmp_path / 'train' / 'n02124075' / 'images'
    for path in images.iterdir():
        path.unlink()
    (images / 'notes.txt').touch()
    with pytest.raises(FileNotFoundError, match=r"n02124075/images' holds no .JPEG"):
        TinyImageNet(str(tmp_path))
    images.rename(tmp_path / 'away')
    with pytest.raises(FileNotFoundError, match=r"n02124075/images' does not exist"):
        TinyImageNet(str(tmp_path))
    (tmp_path / 'train').rename(tmp_path / 'gone')
    with pytest.raises(FileNotFoundError, match=r"train' does not exist.*cs231n"):
        TinyImageNet(str(tmp_path))


def test_missing_images_of_val(tmp_path):
    make(tmp_path)
    (tmp_path / 'val' / 'images' / 'val_1.JPEG').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 3 listed images.*: val_1.JPEG'):
        TinyImageNet(str(tmp_path), split='val')
    (tmp_path / 'val' / 'val_annotations.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r"annotations.txt' does not.*cs231n"):
        TinyImageNet(str(tmp_path), split='val')


def test_unknown_split(tmp_path):
    with pytest.raises(
        ValueError, match=r"split='test' is unknown. Fix: choose one of 'train', 'val'"
    ):
        TinyImageNet(str(tmp_path), split='test', lazy_init=True)
