import numpy as np
import pytest
from mmengine.dataset import ClassBalancedDataset, RepeatDataset
from mmengine.registry import init_default_scope
from mmpretrain.datasets import KFoldDataset
from mmpretrain.registry import DATASETS
from torch.utils.data import ConcatDataset, Dataset, Subset

from eac_mm.datasets import NoisyLabels, SeedAugmentation
from eac_mm.datasets.wrappers import (
    find,
    number_samples,
    origins,
    parts_of,
    transforms_of,
    walk,
)

SEEDED = [dict(type='SeedAugmentation'), dict(type='PackInputs')]


def config(size=4, **kwargs):
    return dict(type='SyntheticFER', size=size, img_size=24, pipeline=SEEDED, **kwargs)


def faces(size=4, **kwargs):
    return DATASETS.build(config(size, **kwargs))


class Plain(Dataset):
    def __init__(self, dataset, size):
        self.dataset, self.size = dataset, size

    def __len__(self):
        return self.size


@pytest.fixture
def nested():
    """Repeat(Concat(NoisyLabels(4 faces), 2 faces)), and its parts."""
    init_default_scope('mmpretrain')
    noisy = dict(type='NoisyLabels', dataset=config())
    both = dict(type='ConcatDataset', datasets=[noisy, config(2, seed=1)])
    return RepeatDataset(dict(type='RepeatDataset', dataset=both, times=1), 2)


def test_walk_visits_the_outermost_first(nested):
    inner = nested.dataset
    both = inner.dataset
    noisy, second = both.datasets
    assert list(walk(nested)) == [nested, inner, both, noisy, noisy.dataset, second]
    assert parts_of(nested) == [inner]
    assert parts_of(second) == []
    assert find(nested, NoisyLabels) == find(noisy, NoisyLabels) == [noisy]
    assert find(second, NoisyLabels) == []


def test_transforms_of_every_pipeline(nested):
    noisy, second = nested.dataset.dataset.datasets
    found = list(transforms_of(nested, SeedAugmentation))
    assert found == [d.pipeline.transforms[0] for d in (noisy.dataset, second)]
    assert list(transforms_of(Subset([1], [0]), SeedAugmentation)) == []


def traced(found):
    rows = zip(found.source.tolist(), found.index.tolist(), strict=True)
    return [(found.sources[source], index) for source, index in rows]


def test_origins_of_a_plain_data_set():
    data = faces(3)
    assert traced(origins(data)) == [(data, 0), (data, 1), (data, 2)]


def test_origins_through_concatenation_and_repetition(nested):
    noisy, second = nested.dataset.dataset.datasets
    first = noisy.dataset
    once = [(first, 0), (first, 1), (first, 2), (first, 3), (second, 0), (second, 1)]
    assert traced(origins(nested)) == once * 2


def test_origins_through_subsets():
    a, b = faces(2), faces(3, seed=1)
    outer = Subset(ConcatDataset([a, Subset(b, [2, 0])]), [3, 0, 3, 2])
    assert traced(origins(outer)) == [(b, 0), (a, 0), (b, 0), (b, 2)]


def test_origins_stop_at_a_kind():
    noisy = NoisyLabels(faces(4))
    outer = Subset(noisy, [3, 1])
    assert traced(origins(outer, NoisyLabels)) == [(noisy, 3), (noisy, 1)]
    assert traced(origins(outer)) == [(noisy.dataset, 3), (noisy.dataset, 1)]


def test_origins_of_a_class_balanced_data_set():
    data = faces(40)
    outer = ClassBalancedDataset(data, oversample_thr=0.3)
    labels = data.get_gt_labels()
    found = origins(outer)
    assert len(found.index) == len(outer) > 40
    for i in range(0, len(outer), 7):  # what MMEngine serves is the oracle
        assert outer.get_cat_ids(i) == [labels[found.index[i]]]
        assert outer.get_data_info(i)['sample_idx'] == found.index[i]


def test_origins_of_folds_are_those_of_the_part():
    outer = KFoldDataset(config(10), fold=1, num_splits=5, seed=0)
    outer.full_init()
    found = origins(outer)
    assert found.sources == [outer.dataset]
    assert found.index.tolist() == list(range(len(outer)))


def test_unknown_wrapper():
    data = faces(3)
    assert traced(origins(Plain(data, 3))) == [(data, i) for i in range(3)]
    with pytest.raises(TypeError, match=r'Plain has 2 samples and wraps 3.*Fix: use'):
        origins(Plain(data, 2))


def test_origins_are_integers():
    found = origins(RepeatDataset(faces(2), 2))
    assert found.source.dtype == found.index.dtype == np.int64


def test_a_data_set_is_one_source():
    a, b = faces(2), faces(3, seed=1)
    nested = ConcatDataset([Subset(a, [1]), ConcatDataset([b, a]), b])
    found = origins(nested)
    assert found.sources == [a, b]
    assert found.source.tolist() == [0, 1, 1, 1, 0, 0, 1, 1, 1]
    assert found.index.tolist() == [1, 0, 1, 2, 0, 1, 0, 1, 2]


def numbers(dataset):
    return number_samples(origins(dataset)).tolist()


def test_equal_numbers_are_the_same_sample():
    data = faces(3)
    assert numbers(data) == [0, 1, 2]
    assert numbers(RepeatDataset(data, 2)) == [0, 1, 2, 0, 1, 2]
    assert numbers(Subset(data, [2, 0, 2])) == [2, 0, 2]
    other = faces(2, seed=1)
    assert numbers(ConcatDataset([data, other, data])) == [0, 1, 2, 3, 4, 0, 1, 2]
    # A data set built twice is two: its samples are augmented apart all the same.
    assert numbers(ConcatDataset([faces(2), faces(2)])) == [0, 1, 2, 3]
    assert numbers(ConcatDataset([[0, 0], [0]])) == [0, 1, 2]
