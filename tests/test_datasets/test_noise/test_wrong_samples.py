import numpy as np
import pytest
from mmpretrain.datasets import BaseDataset
from mmpretrain.datasets.transforms import PackInputs
from torch.utils.data import ConcatDataset, Dataset, Subset

from eac_mm.datasets import NoisyLabels
from eac_mm.datasets.noise import WrongSamples

# Every 1 becomes 2: samples 1, 2 and 4 of [0, 1, 1, 2, 1] are wrong.
ROTATE_ONE = [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
CLEAN = [0, 1, 1, 2, 1]


class Faces(BaseDataset):
    METAINFO = dict(classes=('a', 'b', 'c'))

    def load_data_list(self):
        return [dict(img_path=f'{i}.png', gt_label=c) for i, c in enumerate(CLEAN)]


def noisy(transition=ROTATE_ONE):
    data = Faces(ann_file='')
    return NoisyLabels(data, kind='asymmetric', transition=transition)


def pipeline(results):
    """An image of one value, the sample's index."""
    img = np.full((2, 2, 3), results['sample_idx'], np.uint8)
    return PackInputs().transform(dict(results, img=img))


def indices(dataset):
    return [idx for _, idx in WrongSamples(dataset, pipeline).samples]


def test_each_wrong_sample_with_both_labels():
    data = noisy()
    wrong = WrongSamples(data, pipeline)
    assert len(wrong) == 3
    assert wrong.metainfo['classes'] == ('a', 'b', 'c')
    for position, idx in enumerate([1, 2, 4]):
        sample = wrong[position]
        assert sample['inputs'].shape == (3, 2, 2)
        assert (sample['inputs'] == idx).all()
        found = sample['data_samples']
        assert (found.gt_label.tolist(), found.clean_label) == ([2], 1)
        assert found.sample_idx == idx


def test_through_wrappers():
    data, other = noisy(), noisy()
    assert indices(Subset(data, [4, 0, 4, 1])) == [1, 4]
    assert indices(ConcatDataset([data, Faces(ann_file=''), other])) == [1, 2, 4] * 2
    # One data set in two parts is one.
    parts = ConcatDataset([Subset(data, [1, 2]), Subset(data, [2, 3])])
    assert indices(parts) == [1, 2]


def test_without_noise():
    for dataset in (Faces(ann_file=''), noisy(np.eye(3).tolist())):
        wrong = WrongSamples(dataset, pipeline)
        assert len(wrong) == 0
        assert wrong.metainfo == {}


class Half(Dataset):
    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return 2


def test_an_unknown_wrapper_is_refused():
    with pytest.raises(TypeError, match='Half has 2 samples and wraps 5'):
        WrongSamples(Half(noisy()), pipeline)
