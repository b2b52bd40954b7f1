import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, Dataset, Subset

from eac_mm.datasets import NoisyLabels
from eac_mm.datasets.faces import RAFDB
from eac_mm.datasets.sample_table import (
    numbering_data_set,
    read_labels,
    read_paths,
)


class Numbers(Dataset):
    """Samples of which nothing but the label is known."""

    classes = ('no', 'yes')

    def __init__(self, targets):
        self.targets = targets

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return torch.zeros(1), self.targets[index]


def test_noisy_labels_number_the_samples(rafdb_root):
    faces = RAFDB(data_root=str(rafdb_root), split='train', pipeline=[])
    noisy = NoisyLabels(Subset(faces, [3, 0, 7]), rate=0.4)
    assert numbering_data_set(Subset(noisy, [1, 1])) is noisy
    found = read_labels(noisy)
    assert (found['clean_labels'] == noisy.clean_labels).all()
    assert (found['noisy_labels'] == noisy.given_labels).all()
    assert found['classes'].tolist() == list(faces.metainfo['classes'])
    names = [path.rsplit('/', 1)[1] for path in read_paths(noisy)]
    assert names == [f'train_{i:05d}_aligned.jpg' for i in (4, 1, 8)]


def test_without_noise_the_innermost_data_set_does():
    data = Numbers([1, 0, 1])
    assert numbering_data_set(Subset(data, [2])) is data
    found = read_labels(data)
    assert found['noisy_labels'].tolist() == [1, 0, 1]
    assert found['clean_labels'] is None
    assert read_paths(data) is None
    data.classes = None
    with pytest.raises(ValueError, match='Numbers has no class names'):
        read_labels(data)


def test_several_data_sets_need_one_numbering():
    parts = [Numbers([0]), Numbers([1, 0])]
    joined = ConcatDataset(parts)
    with pytest.raises(ValueError, match=r'joins 2 data sets \(Numbers, Numbers\)'):
        numbering_data_set(joined)
    noisy = NoisyLabels(joined)
    assert numbering_data_set(noisy) is noisy
    assert np.array_equal(read_labels(noisy)['noisy_labels'], [0, 1, 0])
