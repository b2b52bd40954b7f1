import copy

import numpy as np
import pytest
from mmengine.dataset import ClassBalancedDataset, RepeatDataset
from mmengine.registry import init_default_scope
from torch.utils.data import ConcatDataset, Dataset, Subset

from eac_mm.datasets import DeviceCache, NoisyLabels, RAMCache
from eac_mm.datasets.images.cache import ImageCache
from eac_mm.engine import ClassBalancedSampler

PAIR = dict(type='ErasingFlipPair')
CACHES = pytest.mark.parametrize('kind', [RAMCache, DeviceCache])


@CACHES
def test_labels_are_those_of_what_is_wrapped(faces, kind):
    noisy = NoisyLabels(faces(PAIR), rate=0.5)
    cache = kind(noisy)
    assert len(cache) == 12
    assert cache.metainfo == noisy.metainfo
    assert cache.get_gt_labels().tolist() == noisy.given_labels.tolist()
    assert cache.get_cat_ids(3) == [noisy.given_labels[3]]
    for key in ('gt_label', 'clean_label', 'sample_idx', 'img_path'):
        assert cache.get_data_info(5)[key] == noisy.get_data_info(5)[key]
    samples = [cache[i]['data_samples'] for i in range(12)]
    assert [int(s.gt_label) for s in samples] == noisy.given_labels.tolist()
    assert [s.clean_label for s in samples] == noisy.clean_labels.tolist()


@CACHES
@pytest.mark.parametrize('wrapped', [RepeatDataset, ConcatDataset, Subset])
def test_labels_that_a_wrapper_cannot_list(faces, kind, wrapped):
    data = faces(PAIR)
    labels = data.get_gt_labels().tolist()
    arguments = {RepeatDataset: (2,), ConcatDataset: (), Subset: ([3, 1],)}[wrapped]
    outer = wrapped([data, data] if wrapped is ConcatDataset else data, *arguments)
    expected = [labels[3], labels[1]] if wrapped is Subset else labels * 2
    cache = kind(outer)
    assert cache.metainfo['classes'] == data.metainfo['classes']
    assert cache.get_gt_labels().tolist() == expected
    assert cache.get_gt_labels().dtype == np.int64
    assert cache.get_cat_ids(1) == [expected[1]]
    assert cache.get_data_info(1)['gt_label'] == expected[1]
    found = [int(cache[i]['data_samples'].gt_label) for i in range(len(cache))]
    assert found == expected


def test_samplers_that_need_labels(faces):
    repeated = RAMCache(RepeatDataset(faces(PAIR), 2))
    assert len(list(ClassBalancedSampler(repeated, seed=0))) == 24


@CACHES
def test_from_a_config(faces, rafdb_root, kind):
    init_default_scope('mmpretrain')
    pipeline = [
        dict(type='LoadFace'),
        dict(type='SeedAugmentation'),
        dict(type='PackInputs'),
    ]
    data = dict(
        type='RAFDB', data_root=str(rafdb_root), split='train', pipeline=pipeline
    )
    cache = kind(dict(type='NoisyLabels', dataset=data))
    assert cache.store is None  # until it is asked for
    cache.full_init()
    assert len(cache.store.images) == 12


@CACHES
def test_parts_and_copies_share_the_images(faces, kind):
    cache = kind(NoisyLabels(faces(PAIR), rate=0.5))
    cache.full_init()
    labels = cache.get_gt_labels()
    part = cache.get_subset([7, 2, -1])
    last, first = cache.get_subset(-2), part.get_subset(1)
    other = copy.deepcopy(cache)
    for one in (part, last, first, other):
        assert one.store is cache.store
    found = [[int(s['data_samples'].gt_label) for s in one] for one in (part, last)]
    assert found == [labels[[7, 2, 11]].tolist(), labels[[10, 11]].tolist()]
    assert first[0]['data_samples'].sample_idx == 7
    assert part.get_gt_labels().tolist() == found[0]
    assert part.get_cat_ids(1) == [labels[2]]
    # the copy is augmented on its own
    inner = [one.dataset.dataset.pipeline.transforms[2] for one in (other, cache)]
    assert inner[0] is not inner[1]
    inner[0].set_epoch(3, 4)
    assert inner[1].seed_epoch == (-1, -1)


def test_a_balanced_data_set(faces):
    noisy = NoisyLabels(faces(PAIR), rate=0.3)
    inner = ClassBalancedDataset(faces(PAIR), 0.5)
    expected = [inner.get_cat_ids(i)[0] for i in range(len(inner))]
    cache = RAMCache(inner)
    assert [int(s['data_samples'].gt_label) for s in cache] == expected
    assert len(RAMCache(noisy)) == 12


class Unknown(Dataset):
    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)


@CACHES
def test_refusals(faces, kind):
    inner = RAMCache(faces(PAIR))
    with pytest.raises(ValueError, match='RAMCache inside.*outermost.*Fix: remove'):
        kind(ConcatDataset([faces(PAIR), inner]))
    with pytest.raises(ValueError, match='cannot wrap Unknown.*--cache none'):
        kind(Unknown(faces(PAIR)))


def test_the_base_has_no_memory(faces):
    with pytest.raises(NotImplementedError):
        ImageCache(faces(PAIR)).full_init()
