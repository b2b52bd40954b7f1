import pytest
import torch
from mmpretrain.structures import DataSample

from eac_mm.models.labels import single_labels


def test_the_labels_of_a_batch():
    samples = [DataSample().set_gt_label(label) for label in (3, 0, 3)]
    assert single_labels(samples, 'no').tolist() == [3, 0, 3]


def test_mixed_samples_have_none():
    mixed = DataSample().set_gt_label(1).set_gt_score(torch.tensor([0.5, 0.5]))
    with pytest.raises(ValueError, match='^one label each. Fix: no mix$'):
        single_labels([mixed], 'one label each. Fix: no mix')
