import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from eac_mm.datasets.faces.ferplus import FERPlus, read_votes

HEADER = (
    'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,'
    'contempt,unknown,NF'
)
TRAIN = (
    'Training,n.png,9,0,0,0,1,0,0,0,0,0',
    'Training,h.png,0,9,0,0,1,0,0,0,0,0',
    'Training,su.png,0,0,9,0,1,0,0,0,0,0',
    'Training,,0,0,0,0,0,0,0,0,0,10',
    'Training,sa.png,0,0,0,9,1,0,0,0,0,0',
    'Training,a.png,1,0,0,0,9,0,0,0,0,0',
    'Training,d.png,0,0,0,0,1,9,0,0,0,0',
    'Training,f.png,0,0,0,0,1,0,9,0,0,0',
    'Training,c.png,0,0,0,0,1,0,0,9,0,0',
    'Training,u.png,0,0,0,0,1,0,0,0,9,0',
    'Training,nf.png,0,0,0,0,1,0,0,0,0,9',
)
ROWS = (
    *TRAIN,
    'PublicTest,v.png,0,10,0,0,0,0,0,0,0,0',
    'PrivateTest,t1.png,0,0,0,0,0,0,10,0,0,0',
    'PrivateTest,t2.png,0,0,10,0,0,0,0,0,0,0',
)
FOLDERS = {
    'Training': 'FER2013Train',
    'PublicTest': 'FER2013Valid',
    'PrivateTest': 'FER2013Test',
}
PACKED = (
    Path(__file__).parents[3].parent / 'shared' / 'data' / 'ferplus_train_valid.tar.gz'
)


def make(root, rows=ROWS, header=HEADER):
    """Lay out a small FERPlus, with an image for every named row."""
    (root / 'fer2013new.csv').write_text('\n'.join([header, *rows]) + '\n')
    for folder in FOLDERS.values():
        (root / folder).mkdir()
    for row in rows:
        usage, name = (*row.split(','), '', '')[:2]
        if usage in FOLDERS and name and '/' not in name:
            (root / FOLDERS[usage] / name).touch()
    return root


def labels(dataset):
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [(info['name'], info['gt_label']) for info in infos]


SEVEN = [
    ('n.png', 6),
    ('h.png', 3),
    ('su.png', 0),
    ('sa.png', 4),
    ('a.png', 5),
    ('d.png', 2),
    ('f.png', 1),
]


def test_seven_classes(tmp_path):
    dataset = FERPlus(str(make(tmp_path)))
    assert labels(dataset) == SEVEN
    assert dataset.metainfo['classes'] == (
        'surprise',
        'fear',
        'disgust',
        'happy',
        'sad',
        'angry',
        'neutral',
    )
    assert dataset.get_data_info(0)['img_path'] == str(
        tmp_path / 'FER2013Train' / 'n.png'
    )
    assert dataset.max_refetch == 0


def test_votes_are_those_of_the_csv(tmp_path):
    dataset = FERPlus(str(make(tmp_path)))
    info = dataset.get_data_info(4)
    assert info == {
        'img_path': str(tmp_path / 'FER2013Train' / 'a.png'),
        'gt_label': 5,
        'name': 'a.png',
        'votes': (1, 0, 0, 0, 9, 0, 0, 0, 0, 0),
        'sample_idx': 4,
    }
    # Each of the seven faces has nine votes in the column of its class.
    columns = [dataset.get_data_info(i)['votes'].index(9) for i in range(7)]
    assert columns == [0, 1, 2, 3, 4, 5, 6]


def test_eight_classes(tmp_path):
    dataset = FERPlus(str(make(tmp_path)), num_classes=8)
    assert labels(dataset) == [*SEVEN, ('c.png', 7)]
    assert dataset.metainfo['classes'] == (
        'surprise',
        'fear',
        'disgust',
        'happy',
        'sad',
        'angry',
        'neutral',
        'contempt',
    )


def test_splits(tmp_path):
    make(tmp_path)
    assert labels(FERPlus(str(tmp_path), split='val')) == [('v.png', 3)]
    test = FERPlus(str(tmp_path), split='test')
    assert labels(test) == [('t1.png', 1), ('t2.png', 0)]
    assert test.get_data_info(1)['img_path'] == str(tmp_path / 'FER2013Test' / 't2.png')


def test_registered_and_takes_base_arguments(tmp_path):
    dataset = DATASETS.build(
        {
            'type': 'FERPlus',
            'data_root': str(make(tmp_path)),
            'num_classes': 8,
            'indices': [7, 0],
            'metainfo': {'note': 'x'},
            'max_refetch': 2,
        }
    )
    assert labels(dataset) == [('c.png', 7), ('n.png', 6)]
    assert dataset.metainfo['note'] == 'x'
    assert len(dataset.metainfo['classes']) == 8
    assert dataset.max_refetch == 2


@pytest.mark.parametrize(
    ('votes', 'seven', 'eight'),
    [
        ('5,5,0,0,0,0,0,0,0,0', 6, 6),  # neutral = happiness
        ('0,0,0,5,5,0,0,0,0,0', 4, 4),  # sadness = anger
        ('0,0,0,0,0,0,5,5,0,0', 1, 1),  # fear = contempt
        ('0,4,0,0,0,0,2,0,0,4', 3, 3),  # happiness = NF
        ('0,0,0,0,0,0,0,5,5,0', None, 7),  # contempt = unknown
        ('0,0,0,0,2,0,0,0,4,4', None, None),  # unknown = NF
        ('2,1,1,1,1,1,1,1,1,0', 6, 6),  # no majority
        ('2,2,1,0,0,0,0,0,3,2', None, None),  # unknown, seven lead together
    ],
)
def test_ties_and_majority(tmp_path, votes, seven, eight):
    make(tmp_path, (*TRAIN, f'Training,x.png,{votes}'))
    for num_classes, label in ((7, seven), (8, eight)):
        dataset = FERPlus(str(tmp_path), num_classes=num_classes)
        assert dict(labels(dataset)).get('x.png') == label


def test_dropped_faces_need_no_image(tmp_path):
    make(tmp_path)
    (tmp_path / 'FER2013Train' / 'u.png').unlink()
    (tmp_path / 'FER2013Train' / 'c.png').unlink()
    assert len(FERPlus(str(tmp_path))) == 7
    with pytest.raises(FileNotFoundError, match=r'1 of 8 listed .*: c.png\.'):
        FERPlus(str(tmp_path), num_classes=8)


def test_repeated_row_counts_twice(tmp_path):
    make(tmp_path, (*TRAIN, TRAIN[1]))
    assert labels(FERPlus(str(tmp_path))) == [*SEVEN, ('h.png', 3)]


def test_repeated_name_of_which_one_is_kept(tmp_path):
    make(tmp_path, (*TRAIN, 'Training,h.png,0,0,0,0,0,0,0,0,0,10'))
    assert labels(FERPlus(str(tmp_path))) == SEVEN


def test_repeated_name_with_two_labels(tmp_path):
    make(tmp_path, (*TRAIN, 'Training,h.png,10,0,0,0,0,0,0,0,0,0'))
    with pytest.raises(
        ValueError,
        match=r"csv:13: .*expected the label of line 3, 'happy',.*say 'neutral'",
    ):
        FERPlus(str(tmp_path))


def test_blank_lines_at_the_end(tmp_path):
    assert len(FERPlus(str(make(tmp_path, (*TRAIN, '', ''))))) == 7


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        ('Train,x.png,9,0,0,0,0,0,0,0,0,0', r"Usage to be one of \['Training', "),
        ('Training,x.png,9,0,0,0,0,0,0,0,0', '12 fields, found 11'),
        ('Training,x.png,9,0,0,0,0,0,0,0,0,0,0', '12 fields, found 13'),
        ('Training,x.png,9,0,0,0,0,0,0,0,0,x', '10 votes, each 0, 1, 2'),
        ('Training,x.png,9,0,0,0,0,0,0,0,0,', '10 votes, each 0, 1, 2'),
        ('Training,x.png,9,0,0,0,0,0,0,0,0,0.5', '10 votes, each 0, 1, 2'),
        ('Training,x.png,9,0,0,0,0,0,0,0,0,-1', '10 votes, each 0, 1, 2'),
        ('Training,x.png,0,0,0,0,0,0,0,0,0,0', 'at least one vote'),
        ('Training,../x.png,9,0,0,0,0,0,0,0,0,0', 'could leave the data root'),
        ('PublicTest,/x.png,9,0,0,0,0,0,0,0,0,0', 'could leave the data root'),
    ],
)
def test_bad_row(tmp_path, row, message):
    make(tmp_path, (TRAIN[0], row))
    with pytest.raises(ValueError, match=rf"csv:3: '{row}': expected .*{message}"):
        FERPlus(str(tmp_path))


def test_bad_header(tmp_path):
    make(tmp_path, header=HEADER.replace('neutral,happiness', 'happiness,neutral'))
    with pytest.raises(ValueError, match=r'csv:1: .*expected the header Usage,Image '):
        FERPlus(str(tmp_path))


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (
            {'split': 'valid'},
            r"split='valid' is unknown. Fix: .* 'train', 'val', 'test'",
        ),
        ({'num_classes': 10}, r'num_classes=10 is unknown. Fix: choose one of 7, 8'),
    ],
)
def test_bad_argument(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        FERPlus(str(tmp_path), lazy_init=True, **arguments)


def test_missing_root(tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match=r"folder '.*fer' does not exist.*microsoft/FERPlus.*kaggle.com.*"
        'tools/dataset_converters/ferplus.py',
    ):
        FERPlus(str(tmp_path / 'fer'))


def test_missing_csv(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"fer2013new.csv' does not exist.*microsoft/FERPlus"
    ):
        FERPlus(str(tmp_path))


def test_missing_image_folder(tmp_path):
    make(tmp_path)
    (tmp_path / 'FER2013Valid' / 'v.png').unlink()
    with pytest.raises(FileNotFoundError, match=r"FER2013Valid' is empty.*converters"):
        FERPlus(str(tmp_path), split='val')
    (tmp_path / 'FER2013Valid').rmdir()
    with pytest.raises(
        FileNotFoundError, match=r"FER2013Valid' does not exist.*converters/ferplus.py"
    ):
        FERPlus(str(tmp_path), split='val')


def test_missing_images(tmp_path):
    make(tmp_path)
    for name in ('n.png', 'h.png', 'su.png', 'd.png'):
        (tmp_path / 'FER2013Train' / name).unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r'4 of 7 listed images .*: n.png, h.png, su.png, \.\.\.',
    ):
        FERPlus(str(tmp_path))


def test_split_without_faces(tmp_path):
    make(tmp_path, TRAIN)
    with pytest.raises(
        ValueError, match=r"no face of split 'test'.*Usage 'PrivateTest'"
    ):
        FERPlus(str(tmp_path), split='test')


@pytest.fixture(scope='module')
def official(tmp_path_factory):
    """A data root with the real csv and an empty file for every image."""
    if not PACKED.is_file():
        pytest.skip('the csv of FERPlus is not here')
    root = tmp_path_factory.mktemp('ferplus')
    with tarfile.open(PACKED) as packed:
        (root / 'fer2013new.csv').write_bytes(
            packed.extractfile('ferplus/fer2013new.csv').read()
        )
    for folder in FOLDERS.values():
        (root / folder).mkdir()
    for row in read_votes(root / 'fer2013new.csv'):
        if row.name:
            (root / FOLDERS[row.usage] / row.name).touch()
    return str(root)


@pytest.mark.parametrize(
    ('num_classes', 'sizes'),
    [(7, (28_224, 3_529, 3_519)), (8, (28_389, 3_553, 3_546))],
)
def test_official_sizes(official, num_classes, sizes):
    found = [
        FERPlus(official, split=split, num_classes=num_classes)
        for split in ('train', 'val', 'test')
    ]
    assert tuple(map(len, found)) == sizes
    train = [3562, 652, 191, 7528, 3515, 2467, 10309, 165]
    assert np.bincount(found[0].get_gt_labels()).tolist() == train[:num_classes]


def test_official_repeats(official):
    names = Counter(name for name, _ in labels(FERPlus(official)))
    assert sorted(name for name, count in names.items() if count > 1) == [
        'fer0006953.png',
        'fer0008403.png',
        'fer0011785.png',
    ]
    assert len(names) == 28_221
