from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import Compose, ConcatDataset, default_collate
from mmpretrain.registry import DATASETS, TRANSFORMS
from mmpretrain.structures import DataSample
from torch.utils.data import DataLoader, Subset

import eac_mm  # noqa: F401  before mmpretrain.datasets
from eac_mm.datasets import RAFDB, NoisyLabels
from eac_mm.datasets.noise import noisy_labels
from eac_mm.datasets.noise.files import hash_labels
from eac_mm.datasets.noise.model import draw_labels, transition_matrix

LISTS = Path(__file__).parents[3].parent / 'shared' / 'data' / 'rafdb_labels'
needs_lists = pytest.mark.skipif(
    not LISTS.is_dir(), reason='the lists of RAF-DB are not here'
)

LOAD = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
SIZES = dict(angry=9, happy=14, sad=7)  # images in the folder
CLEAN = [0] * 9 + [1] * 14 + [2] * 7


def folder(root, sizes=SIZES):
    """An image folder; each image has one grey value of its own."""
    value = 0
    for name, size in sizes.items():
        (root / name).mkdir(parents=True)
        for i in range(size):
            image = np.full((8, 8, 3), value, np.uint8)
            cv2.imwrite(str(root / name / f'{i:03d}.png'), image)
            value += 1
    return dict(type='CustomDataset', data_root=str(root), pipeline=LOAD)


@pytest.fixture(scope='module')
def faces(tmp_path_factory):
    return folder(tmp_path_factory.mktemp('faces'))


def annotated(labels, classes=('a', 'b', 'c'), **kwargs):
    """A data set of annotations alone, of any labels."""

    def load(self):
        return [{'img_path': f'x/{i}.png', **label} for i, label in enumerate(labels)]

    base = DATASETS.get('mmpretrain.BaseDataset')
    kind = type('Annotated', (base,), dict(load_data_list=load))
    metainfo = None if classes is None else dict(classes=classes)
    return kind(ann_file='', metainfo=metainfo, **kwargs)


def labelled(labels, **kwargs):
    return annotated([dict(gt_label=label) for label in labels], **kwargs)


def plain(labels, gt):
    """Labels as a list of numbers, from samples or from the data set."""
    return [int(getattr(sample['data_samples'], gt)) for sample in labels]


# what a sample carries


def test_samples_carry_both_labels(faces):
    noisy = NoisyLabels(faces, rate=0.5, seed=1)
    matrix = transition_matrix('symmetric', 0.5, tuple(SIZES))
    given = draw_labels(np.array(CLEAN), matrix, 1).tolist()
    assert len(noisy) == 30
    assert given != CLEAN
    samples = [noisy[i] for i in range(30)]
    assert plain(samples, 'gt_label') == given
    assert plain(samples, 'clean_label') == CLEAN
    for i, sample in enumerate(samples):
        assert (sample['inputs'] == i).all()  # the image is still its own
        label = sample['data_samples'].gt_label
        assert (label.dtype, label.shape) == (torch.int64, (1,))
        assert sample['data_samples'].sample_idx == i
    assert noisy.wrong_indices.tolist() == [
        i for i in range(30) if given[i] != CLEAN[i]
    ]


def test_annotations_carry_both_labels(faces):
    noisy = NoisyLabels(faces, rate=0.5, seed=1)
    infos = [noisy.get_data_info(i) for i in range(30)]
    assert [info['clean_label'] for info in infos] == CLEAN
    assert [info['gt_label'] for info in infos] == noisy.given_labels.tolist()
    assert noisy.get_gt_labels().tolist() == noisy.given_labels.tolist()
    assert [noisy.get_cat_ids(i) for i in range(30)] == [
        [label] for label in noisy.given_labels.tolist()
    ]
    # the wrapped data set keeps its own
    assert noisy.dataset.get_gt_labels().tolist() == CLEAN


def test_no_noise_by_default(faces):
    noisy = NoisyLabels(faces)
    assert noisy.given_labels.tolist() == CLEAN
    assert noisy.wrong_indices.tolist() == []
    assert plain([noisy[i] for i in range(30)], 'gt_label') == CLEAN


def test_classes(faces):
    noisy = NoisyLabels(faces)
    assert noisy.CLASSES == ('angry', 'happy', 'sad')
    assert noisy.metainfo == noisy.dataset.metainfo


def test_asymmetric(faces):
    noisy = NoisyLabels(
        faces, kind='asymmetric', rate=0.999, transition=dict(happy='sad'), seed=4
    )
    # 14 labels stay with probability 0.001 each
    assert noisy.given_labels.tolist() == [0] * 9 + [2] * 14 + [2] * 7


def test_matrix(faces):
    noisy = NoisyLabels(
        faces, kind='asymmetric', transition=[[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    )
    assert noisy.given_labels.tolist() == [1] * 9 + [2] * 14 + [0] * 7


def test_negative_index(faces):
    noisy = NoisyLabels(faces, rate=0.5, seed=1)
    last = noisy[-1]['data_samples']
    assert int(last.gt_label) == noisy.given_labels[29]
    assert (last.clean_label, last.sample_idx) == (2, 29)
    assert noisy.get_data_info(-30)['sample_idx'] == 0
    with pytest.raises(IndexError):
        noisy[30]


# the noise depends on labels, kind, rate and seed alone


def test_noise_ignores_images_and_generators(faces, tmp_path):
    first = NoisyLabels(faces, rate=0.4, seed=3)
    np.random.seed(7)
    torch.manual_seed(7)
    data = labelled(CLEAN, classes=tuple(SIZES))
    assert NoisyLabels(data, rate=0.4, seed=3).given_labels.tolist() == (
        first.given_labels.tolist()
    )
    assert NoisyLabels(data, rate=0.4, seed=4).given_labels.tolist() != (
        first.given_labels.tolist()
    )


@pytest.mark.parametrize('workers', [0, 1, 2])
def test_workers(faces, workers):
    noisy = NoisyLabels(faces, rate=0.5, seed=1)
    expected = noisy.given_labels.tolist()
    loader = DataLoader(
        noisy,
        batch_size=7,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=default_collate,
    )
    for _ in range(2):
        samples = [s for batch in loader for s in batch['data_samples']]
        assert [int(sample.gt_label) for sample in samples] == expected
        assert [sample.clean_label for sample in samples] == CLEAN
        assert [sample.sample_idx for sample in samples] == list(range(30))


def test_lazy(tmp_path):
    config = dict(type='CustomDataset', data_root=str(tmp_path / 'faces'))
    noisy = NoisyLabels(dict(config, lazy_init=True, pipeline=LOAD), rate=0.5, seed=1)
    folder(tmp_path / 'faces')  # made only now
    assert len(noisy) == 30
    assert int(noisy[0]['data_samples'].clean_label) == 0


def test_report(monkeypatch):
    said = []
    monkeypatch.setattr(
        noisy_labels, 'print_log', lambda text, logger: said.append(text)
    )
    # moves every a to b
    NoisyLabels(
        labelled([0] * 3 + [1] * 1197),
        kind='asymmetric',
        transition=[[0, 1, 0], [0, 1, 0], [0, 0, 1]],
    )
    assert said == [
        '3 of 1,200 noisy labels differ from the clean ones (0.25 %; asymmetric '
        'noise, rate 0.0 asked, seed 0)'
    ]


def test_report_of_uniform_noise_says_what_share_is_wrong(monkeypatch):
    said = []
    monkeypatch.setattr(
        noisy_labels, 'print_log', lambda text, logger: said.append(text)
    )
    noisy = NoisyLabels(labelled([0, 1, 2] * 400), kind='uniform', rate=0.3)
    wrong = int((noisy.given_labels != noisy.clean_labels).sum())
    assert abs(wrong - 240) < 5 * np.sqrt(1200 * 0.2 * 0.8)  # two thirds of 0.3
    assert said == [
        f'{wrong} of 1,200 noisy labels differ from the clean ones '
        f'({100 * wrong / 1200:.2f} %; uniform noise, rate 0.3 asked, seed 0)'
    ]


def test_report_without_noise(monkeypatch):
    said = []
    monkeypatch.setattr(
        noisy_labels, 'print_log', lambda text, logger: said.append(text)
    )
    NoisyLabels(labelled([0] * 1200))
    assert said == ['No noise was added to the 1,200 labels.']


# what tools of MMPretrain read


@pytest.mark.parametrize(
    ('indices', 'kept'), [([4, -1, 4], [4, 29, 4]), (3, [0, 1, 2]), (-2, [28, 29])]
)
def test_a_subset_keeps_labels_and_images(faces, indices, kept):
    noisy = NoisyLabels(faces, rate=0.5, seed=1)
    given = noisy.given_labels
    part = noisy.get_subset(indices)
    assert len(noisy) == 30
    noisy.get_subset_(indices)
    for small in (part, noisy):
        assert len(small) == len(kept)
        assert small.given_labels.tolist() == given[kept].tolist()
        for i, old in enumerate(kept):
            sample = small[i]
            assert (sample['inputs'] == old).all()
            assert int(sample['data_samples'].gt_label) == given[old]
            assert sample['data_samples'].clean_label == CLEAN[old]
            assert sample['data_samples'].sample_idx == i


def test_the_pipeline_is_the_wrapped_data_set_s(faces):
    noisy = NoisyLabels(Subset(DATASETS.build(faces), range(5)))
    assert noisy.pipeline is noisy.dataset.dataset.pipeline
    first, last = noisy.pipeline.transforms
    resize = TRANSFORMS.build(dict(type='Resize', scale=4))
    noisy.pipeline = Compose([first, resize, last])
    assert noisy[0]['inputs'].shape == (3, 4, 4)
    both = NoisyLabels(ConcatDataset([DATASETS.build(faces), DATASETS.build(faces)]))
    assert not hasattr(both, 'pipeline')  # two of them


def test_votes_are_carried_where_there_are_some():
    votes = [(7, 0, 0, 3, 0, 0, 0, 0, 0, 0), (0, 9, 1, 0, 0, 0, 0, 0, 0, 0)]
    rows = [dict(gt_label=i, votes=v) for i, v in enumerate(votes)]
    pack = [dict(type='PackInputs')]
    voted = annotated(rows, pipeline=pack)
    both = ConcatDataset([voted, labelled([2], pipeline=pack)])
    noisy = NoisyLabels(Subset(both, [2, 1, 0]), rate=0.5)
    assert [noisy.get_data_info(i).get('votes') for i in range(3)] == [
        None,
        *votes[::-1],
    ]
    samples = [noisy[i]['data_samples'] for i in range(3)]
    assert [sample.get('votes') for sample in samples] == [None, *votes[::-1]]
    assert 'votes' not in samples[0].metainfo
    assert samples[1].metainfo['votes'] == votes[1]


def test_annotations_without_votes_are_not_read_again(monkeypatch):
    noisy = NoisyLabels(labelled([2, 0], pipeline=[dict(type='PackInputs')]))
    read = []
    original = noisy.annotations.get_info
    monkeypatch.setattr(
        noisy.annotations, 'get_info', lambda i: read.append(i) or original(i)
    )
    packed = dict(data_samples=DataSample())
    assert noisy.set_labels(packed, 1)['data_samples'].clean_label == 0
    assert read == []


# wrappers


def concatenated(root, **kwargs):
    parts = [folder(root / name) for name in ('one', 'two')]
    return ConcatDataset([DATASETS.build(dict(part, **kwargs)) for part in parts])


def test_concatenated(tmp_path):
    noisy = NoisyLabels(concatenated(tmp_path), rate=0.5, seed=1)
    assert noisy.clean_labels.tolist() == CLEAN + CLEAN
    matrix = transition_matrix('symmetric', 0.5, tuple(SIZES))
    given = draw_labels(np.array(CLEAN + CLEAN), matrix, 1).tolist()
    assert given[:30] != given[30:]
    samples = [noisy[i] for i in range(60)]
    assert plain(samples, 'gt_label') == given
    assert plain(samples, 'clean_label') == CLEAN + CLEAN
    # the index in the whole, not in the part
    assert [s['data_samples'].sample_idx for s in samples] == list(range(60))
    assert [noisy.get_data_info(i)['sample_idx'] for i in (0, 29, 30, 59)] == [
        0,
        29,
        30,
        59,
    ]


class Unreadable:
    """A pipeline that cannot have the image of sample 5."""

    def __call__(self, results):
        return None if results['sample_idx'] == 5 else dict(results)


@pytest.mark.parametrize('wrapped', [False, True])
def test_no_other_sample_for_an_unreadable_one(wrapped):
    dataset = labelled(CLEAN, pipeline=[Unreadable()])
    assert dataset.max_refetch > 0
    assert dataset[5]['sample_idx'] != 5  # another one, without a word
    noisy = NoisyLabels(ConcatDataset([dataset]) if wrapped else dataset)
    with pytest.raises(Exception, match='Cannot find valid image'):
        noisy[5]


# noise files


def test_file_round_trip(faces, tmp_path):
    drawn = NoisyLabels(faces, rate=0.5, seed=1)
    manifest = drawn.write(tmp_path / 'noise.txt')
    read = NoisyLabels(faces, noise_file=str(tmp_path / 'noise.txt'))
    assert read.given_labels.tolist() == drawn.given_labels.tolist()
    assert plain([read[i] for i in range(30)], 'gt_label') == (
        drawn.given_labels.tolist()
    )
    wrong = len(drawn.wrong_indices)
    assert (manifest.kind, manifest.rate, manifest.seed) == ('symmetric', 0.5, 1)
    assert manifest.clean_counts == (9, 14, 7)
    assert sum(manifest.changed_counts) == wrong
    assert manifest.measured_rate == round(wrong / 30, 6)
    assert manifest.clean_sha256 == hash_labels(np.array(CLEAN), tuple(SIZES))
    names = [
        line.split('\t')[2]
        for line in (tmp_path / 'noise.txt').read_text().splitlines()[2:]
    ]
    assert names == [f'{i:03d}.png' for size in SIZES.values() for i in range(size)]


def test_written_again_a_read_file_is_the_same_labels(faces, tmp_path):
    drawn = NoisyLabels(faces, rate=0.5, seed=1)
    first = drawn.write(tmp_path / 'first.txt')
    read = NoisyLabels(faces, noise_file=tmp_path / 'first.txt')
    second = read.write(tmp_path / 'second.txt')
    assert second.kind == 'file'
    assert second.given_sha256 == first.given_sha256
    lines = [
        (tmp_path / f'{n}.txt').read_text().split('\n') for n in ('first', 'second')
    ]
    assert lines[0][2:] == lines[1][2:]


def test_transition_stands_in_the_manifest(faces, tmp_path):
    noisy = NoisyLabels(
        faces, kind='asymmetric', rate=0.5, transition=dict(happy='sad')
    )
    assert noisy.write(tmp_path / 'noise.txt').transition == {'happy': 'sad'}


def test_file_of_other_labels(faces, tmp_path):
    NoisyLabels(labelled(CLEAN[1:], classes=tuple(SIZES)), rate=0.5).write(
        tmp_path / 'noise.txt'
    )
    with pytest.raises(
        ValueError, match=r'other clean labels: it describes 29 samples .* has 30 of'
    ):
        NoisyLabels(faces, noise_file=str(tmp_path / 'noise.txt'))


def test_missing_file(faces):
    with pytest.raises(
        FileNotFoundError, match=r'noise_file nowhere.txt does not exist \(seen from'
    ):
        NoisyLabels(faces, noise_file='nowhere.txt')


def test_file_in_the_home_folder(faces, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    drawn = NoisyLabels(faces, rate=0.5, seed=1)
    drawn.write(tmp_path / 'noise.txt')
    read = NoisyLabels(faces, noise_file='~/noise.txt')
    assert read.given_labels.tolist() == drawn.given_labels.tolist()


def test_list_for_a_data_set_without_a_format(faces, tmp_path):
    (tmp_path / 'noise.txt').write_text('000.png 1\n')
    with pytest.raises(ValueError, match=r'lacks 27 of the 30 samples'):
        NoisyLabels(faces, noise_file=str(tmp_path / 'noise.txt'))


@pytest.mark.parametrize('extra', [dict(rate=0.3), dict(transition=dict(happy='sad'))])
def test_file_and_noise(faces, extra):
    with pytest.raises(ValueError, match=r"noise_file='n.txt' already says which"):
        NoisyLabels(faces, noise_file='n.txt', **extra)


# lists in RAF-DB's format

ROWS = [
    'train_00001.jpg 5',
    'train_00002.jpg 1',
    'train_00003.jpg 7',
    'test_0001.jpg 4',
]


@pytest.fixture(scope='module')
def rafdb(tmp_path_factory):
    root = tmp_path_factory.mktemp('rafdb')
    (root / 'EmoLabel').mkdir()
    (root / 'EmoLabel' / 'list_patition_label.txt').write_text('\n'.join(ROWS))
    (root / 'Image' / 'aligned').mkdir(parents=True)
    for value, row in enumerate(ROWS):
        name = row.split('.')[0] + '_aligned.jpg'
        image = np.full((8, 8, 3), 60 * value, np.uint8)
        cv2.imwrite(str(root / 'Image' / 'aligned' / name), image)
    return dict(type='RAFDB', data_root=str(root), pipeline=LOAD)


@pytest.mark.parametrize(
    'extra',
    [
        [],
        ['test_0001.jpg 2'],
        ['train_09999.jpg 3', 'test_0001.jpg 1'],
    ],
)
def test_list(rafdb, tmp_path, extra):
    path = tmp_path / 'noise.txt'
    # in another order than the data set's
    rows = ['train_00003.jpg 7', *extra, 'train_00001.jpg 2', 'train_00002.jpg 6']
    path.write_text('\n'.join(rows))
    noisy = NoisyLabels(rafdb, noise_file=str(path))
    assert noisy.clean_labels.tolist() == [4, 0, 6]
    assert noisy.given_labels.tolist() == [1, 5, 6]
    assert noisy.wrong_indices.tolist() == [0, 1]
    assert plain([noisy[i] for i in range(3)], 'gt_label') == [1, 5, 6]


def test_list_for_a_subset(rafdb, tmp_path):
    path = tmp_path / 'noise.txt'
    path.write_text('train_00003.jpg 1\ntrain_00002.jpg 3\ntrain_00001.jpg 2\n')
    noisy = NoisyLabels(dict(rafdb, indices=[2, 0]), noise_file=str(path))
    assert noisy.given_labels.tolist() == [0, 1]


def test_list_that_lacks_a_face(rafdb, tmp_path):
    path = tmp_path / 'noise.txt'
    path.write_text('train_00001.jpg 2\n')
    with pytest.raises(
        ValueError,
        match=r'noise.txt lacks 2 of the 3 samples \(first: train_00002.jpg\)',
    ):
        NoisyLabels(rafdb, noise_file=str(path))


def test_list_that_repeats_a_face(rafdb, tmp_path):
    path = tmp_path / 'noise.txt'
    path.write_text('\n'.join([*ROWS, 'train_00001.jpg 2']))
    with pytest.raises(ValueError, match=r'noise.txt:5: .* it is on line 1 too'):
        NoisyLabels(rafdb, noise_file=str(path))


@pytest.mark.parametrize(
    'row', ['train_00002.jpg 8', 'train_00002.jpg', 'train_2 fear']
)
def test_list_with_a_malformed_line(rafdb, tmp_path, row):
    path = tmp_path / 'noise.txt'
    path.write_text(f'train_00001.jpg 2\n{row}\n')
    with pytest.raises(ValueError, match=rf"noise.txt:2: '{row}': expected"):
        NoisyLabels(rafdb, noise_file=str(path))


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        (
            [('0.png', 0), ('1.png', 1), ('0.png', 2)],
            r'lists 1 samples more than once \(first: 0.png\)',
        ),
        (
            [('0.png', 0), ('1.png', 3)],
            r'sample 1 \(1.png\) has the label 3; .* allow 0 to 2',
        ),
    ],
)
def test_list_of_a_users_own_data_set(tmp_path, rows, message):
    dataset = labelled([0, 1])
    dataset.read_label_list = lambda path: rows
    (tmp_path / 'list.txt').touch()
    with pytest.raises(ValueError, match=message):
        NoisyLabels(dataset, noise_file=str(tmp_path / 'list.txt'))


@needs_lists
@pytest.mark.parametrize(
    ('name', 'wrong'),
    [
        ('noise01.txt', 1241),
        ('noise02.txt', 2498),
        ('noise03.txt', 3722),
        ('list_patition_label.txt', 0),  # lists the test faces too
    ],
)
def test_lists_of_the_authors(tmp_path, monkeypatch, name, wrong):
    monkeypatch.setattr('eac_mm.datasets.faces.base.require_images', lambda *args: None)
    dataset = RAFDB(str(tmp_path), ann_file=str(LISTS / 'list_patition_label.txt'))
    noisy = NoisyLabels(dataset, noise_file=str(LISTS / name))
    assert len(noisy) == 12_271
    assert len(noisy.wrong_indices) == wrong
    if wrong:
        manifest = noisy.write(tmp_path / 'noise.txt')
        assert manifest.kind == 'file'
        assert manifest.clean_counts == (1290, 281, 717, 4772, 1982, 705, 2524)
        assert manifest.measured_rate == round(wrong / 12_271, 6)


# bad input


@pytest.mark.parametrize(
    'rate', [-0.1, 1.0, 1.5, float('nan'), 'abc', True, False, None]
)
def test_bad_rate(rate):
    # refused before a data set is even looked for
    with pytest.raises(ValueError, match=r'noise rate .* not in \[0, 1\)'):
        NoisyLabels(dict(type='NoSuchDataset'), rate=rate)


@pytest.mark.parametrize('seed', [-1, 0.5, None])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match=r'noise seed .*integer, 0 or more'):
        NoisyLabels(dict(type='NoSuchDataset'), rate=0.3, seed=seed)


def test_bad_kind():
    with pytest.raises(
        ValueError, match=r"noise kind 'pairflip' is unknown. Fix: choose one of"
    ):
        NoisyLabels(dict(type='NoSuchDataset'), kind='pairflip', rate=0.3)


def test_unknown_class_in_the_transition(faces):
    with pytest.raises(
        ValueError,
        match=r"names the class 'fear'; the data set has \('angry', 'happy', 'sad'\)",
    ):
        NoisyLabels(faces, kind='asymmetric', rate=0.3, transition=dict(fear='sad'))


@pytest.mark.parametrize('label', [3, -1])
def test_label_out_of_range(label):
    with pytest.raises(
        ValueError,
        match=rf'sample 1 \(1.png\) has the label {label}; .* allow 0 to 2. 1 of 3',
    ):
        NoisyLabels(labelled([0, label, 2]))


def test_no_class_names():
    with pytest.raises(
        ValueError, match=r'Annotated has no class names.*metainfo=dict'
    ):
        NoisyLabels(labelled([0, 1], classes=None))


@pytest.mark.parametrize(
    ('labels', 'shown'),
    [
        ([[0], [1, 2]], r'sample 0 \(0.png\) .*label \[0\]'),
        ([[0, 1], [1, 2]], r'label \[0, 1\]'),
        ([0, 1.0], r'sample 1 \(1.png\) .*label 1.0'),
        ([0, '1'], r"label '1'"),
        ([True, 0], r'label True'),
    ],
)
def test_labels_that_are_no_integers(labels, shown):
    with pytest.raises(ValueError, match=shown + r'; one integer is needed. Fix'):
        NoisyLabels(labelled(labels))


def test_sample_without_label():
    with pytest.raises(ValueError, match=r'sample 1 \(1.png\) .*label None'):
        NoisyLabels(annotated([dict(gt_label=0), dict()]))


def test_empty():
    with pytest.raises(ValueError, match=r'Annotated is empty'):
        NoisyLabels(labelled([], serialize_data=False))


def test_pipeline_that_does_not_pack(faces):
    noisy = NoisyLabels(dict(faces, pipeline=LOAD[:1]))
    with pytest.raises(ValueError, match=r"no 'data_samples'.*end its pipeline with"):
        noisy[0]
