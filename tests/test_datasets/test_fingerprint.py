import hashlib
import json
import shutil

import numpy as np
import pytest
from mmengine.dataset import RepeatDataset
from mmpretrain.datasets import CustomDataset
from mmpretrain.registry import DATASETS
from torch.utils.data import ConcatDataset, Dataset, Subset

from eac_mm.datasets import RAFDB, AnnotatedLabels, NoisyLabels
from eac_mm.datasets.fingerprint import fingerprint

PACK = [dict(type='PackInputs')]


def rafdb(root, **kwargs):
    return RAFDB(data_root=str(root), split='train', pipeline=PACK, **kwargs)


@pytest.fixture
def copy(rafdb_root, tmp_path):
    shutil.copytree(rafdb_root, tmp_path / 'moved')
    return tmp_path / 'moved'


def short(data):
    return hashlib.sha256(data).hexdigest()[:16]


def hash_of(labels):
    return short(b''.join(label.to_bytes(8, 'little') for label in labels))


def test_what_it_says(rafdb_root):
    data = rafdb(rafdb_root)
    found = fingerprint(data)
    labels = [data.get_data_info(i)['gt_label'] for i in range(12)]
    names = [f'Image/aligned/train_{i:05d}_aligned.jpg' for i in range(1, 13)]
    assert found == dict(
        samples=12,
        classes=list(data.CLASSES),
        names=short(json.dumps(names).encode()),
        labels=hash_of(labels),
        clean_labels=hash_of(labels),
    )
    json.dumps(found)


def test_data_that_moved_is_the_same(rafdb_root, copy, monkeypatch):
    assert fingerprint(rafdb(rafdb_root)) == fingerprint(rafdb(copy))
    monkeypatch.chdir(copy.parent)
    assert fingerprint(rafdb(rafdb_root)) == fingerprint(rafdb('moved'))


@pytest.mark.parametrize(
    ('old', 'new', 'keys'),
    [
        ('train_00001.jpg 1', 'train_00001.jpg 2', {'labels', 'clean_labels'}),
        (
            'train_00001.jpg 1\n',
            '',
            {'samples', 'names', 'labels', 'clean_labels'},
        ),
        ('train_00008.jpg 4\ntrain_00009.jpg 4', 'X', {'names'}),
    ],
)
def test_changed_lists_are_noticed(rafdb_root, copy, old, new, keys):
    path = copy / 'EmoLabel' / 'list_patition_label.txt'
    text = path.read_text()
    assert old in text
    swapped = 'train_00009.jpg 4\ntrain_00008.jpg 4'
    path.write_text(text.replace(old, swapped if new == 'X' else new))
    one, other = fingerprint(rafdb(rafdb_root)), fingerprint(rafdb(copy))
    assert {key for key in one if one[key] != other[key]} == keys


def test_noise_changes_the_labels_alone(rafdb_root):
    clean = fingerprint(NoisyLabels(rafdb(rafdb_root)))
    assert clean == fingerprint(rafdb(rafdb_root))
    noisy = [NoisyLabels(rafdb(rafdb_root), rate=0.5, seed=seed) for seed in (0, 0, 1)]
    found = [fingerprint(data) for data in noisy]
    assert found[0] == found[1]
    for one, other in ((clean, found[0]), (found[0], found[2])):
        assert {key for key in one if one[key] != other[key]} == {'labels'}
    assert found[0]['labels'] == hash_of(noisy[0].get_gt_labels().tolist())


def test_labels_of_annotators_are_noticed(rafdb_root, tmp_path):
    plain = fingerprint(NoisyLabels(rafdb(rafdb_root)))
    found, hashes = [], []
    for name, seed in (('one', 1), ('moved', 1), ('other', 2)):
        noisy = NoisyLabels(rafdb(rafdb_root), rate=0.5, seed=seed)
        noisy.write(tmp_path / name)
        data = AnnotatedLabels(rafdb(rafdb_root), annotators=[tmp_path / name])
        found.append(fingerprint(Subset(data, range(3, 12))))
        rows = noisy.get_gt_labels()[3:, None].tolist()
        hashes.append(short(json.dumps(rows).encode()))
    assert [one.pop('annotator_labels') for one in found] == hashes
    assert found[0] == found[2] and hashes[0] == hashes[1] != hashes[2]
    data = AnnotatedLabels(rafdb(rafdb_root), annotators=[])
    assert np.size(data.annotator_labels) == 0
    assert fingerprint(data) == plain  # nobody


def test_classes_in_another_order(rafdb_root):
    names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    one = fingerprint(rafdb(rafdb_root, metainfo=dict(classes=names)))
    other = fingerprint(rafdb(rafdb_root, metainfo=dict(classes=names[::-1])))
    assert {key for key in one if one[key] != other[key]} == {'classes'}


def test_nested_data_sets(rafdb_root):
    def inner():
        return NoisyLabels(rafdb(rafdb_root), rate=0.5)

    plain = fingerprint(inner())
    leaf = dict(type='RAFDB', data_root=str(rafdb_root), split='train', pipeline=PACK)
    noisy = dict(type='mmpretrain.NoisyLabels', rate=0.5, dataset=leaf)
    twice = fingerprint(RepeatDataset(noisy, 2))
    labels = inner().get_gt_labels().tolist()
    assert twice['samples'] == 24
    assert twice['labels'] == hash_of(labels * 2)
    joined = fingerprint(ConcatDataset([inner(), inner()]))
    assert joined == {**twice, 'classes': None}  # PyTorch's forgets the names
    assert fingerprint(Subset(inner(), [1, 0]))['labels'] == hash_of(labels[1::-1])
    # Noise around repeated samples: each draw may have its own wrong label.
    outside = NoisyLabels(RepeatDataset(rafdb(rafdb_root), 2), rate=0.5)
    assert fingerprint(outside)['clean_labels'] == twice['clean_labels']
    assert fingerprint(outside)['labels'] == hash_of(outside.get_gt_labels().tolist())
    assert plain['samples'] == 12


def test_files_under_a_prefix_count_from_the_root(rafdb_root, copy):
    def folder(root):
        return CustomDataset(data_root=str(root), data_prefix='Image', pipeline=PACK)

    assert fingerprint(folder(rafdb_root)) == fingerprint(folder(copy))
    first = next((copy / 'Image' / 'aligned').glob('train*'))
    first.rename(first.with_name('zzz.jpg'))
    one, other = fingerprint(folder(rafdb_root)), fingerprint(folder(copy))
    assert one['names'] != other['names']


def test_noise_on_a_part_is_noticed(rafdb_root):
    """Noise beside clean data, on either side and below a repetition."""

    def joined(first, second):
        return Subset(ConcatDataset([first, second]), [*range(24)] * 2)

    def noisy(seed):
        return NoisyLabels(rafdb(rafdb_root), rate=0.5, seed=seed)

    clean = rafdb(rafdb_root)
    labels = [clean.get_data_info(i)['gt_label'] for i in range(12)]
    given = [noisy(seed).get_gt_labels().tolist() for seed in (0, 1)]
    assert given[0] != given[1]
    for seed in (0, 1):
        after = fingerprint(joined(noisy(seed), clean))
        assert after['labels'] == hash_of((given[seed] + labels) * 2)
        before = fingerprint(joined(clean, noisy(seed)))
        assert before['labels'] == hash_of((labels + given[seed]) * 2)
        assert before['clean_labels'] == after['clean_labels'] == hash_of(labels * 4)


class Targets(Dataset):
    """A data set in torchvision's style, or one that says nothing."""

    def __init__(self, targets=None):
        if targets:
            self.targets, self.classes = targets, list('abcdefg')

    def __len__(self):
        return 3


def test_data_sets_without_annotations(rafdb_root):
    found = fingerprint(Targets([4, 0, 6]))
    assert found['names'] is None
    assert found['labels'] == found['clean_labels'] == hash_of([4, 0, 6])
    noisy = [NoisyLabels(Targets([4, 0, 6]), rate=0.9, seed=seed) for seed in (0, 1)]
    # Beside one that says nothing, noise still counts.
    found = [fingerprint(ConcatDataset([part, Targets()])) for part in noisy]
    for one, part in zip(found, noisy, strict=True):
        given = [*part.get_gt_labels().tolist(), None, None, None]
        assert one['labels'] == short(json.dumps(given).encode())
    assert found[0]['labels'] != found[1]['labels']
    assert found[0]['clean_labels'] == found[1]['clean_labels']


def test_labels_that_are_no_integers():
    base = DATASETS.get('mmpretrain.BaseDataset')
    rows = [dict(gt_label=[0, 2], name='x'), dict(gt_label=[1], img_path='a/b.jpg')]
    kind = type('Several', (base,), dict(load_data_list=lambda self: rows))
    found = fingerprint(kind(ann_file=''))
    assert found['labels'] == short(b'[[0, 2], [1]]')
    assert found['names'] == short(b'["x", "a/b.jpg"]')


class Unknown(Dataset):
    """A wrapper that nobody knows, with other samples than it wraps."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return 5


def test_what_cannot_be_told_is_none(rafdb_root):
    nothing = dict(names=None, labels=None, clean_labels=None)
    expected = dict(samples=5, classes=None, **nothing)
    assert fingerprint(Unknown(rafdb(rafdb_root))) == expected
