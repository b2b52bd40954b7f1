import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset as BothDatasets
from mmengine.dataset import RepeatDataset
from torch.utils.data import ConcatDataset, DataLoader

from eac_mm.datasets import NoisyLabels, RAMCache, SeedAugmentation, SyntheticFER
from eac_mm.datasets.draws import count_draws
from eac_mm.datasets.images import ram_cache

from .conftest import SINGLE

PAIR = dict(type='ErasingFlipPair', erasing='independent', noise_variance=30)
# What a transform may set, beside what is always there.
PACK_ALL = dict(
    type='PackInputs',
    meta_keys=['img_path', 'ori_shape', 'img_shape', 'scale', 'scale_factor']
    + ['keep_ratio', 'sample_idx', 'flip', 'flip_direction'],
)


def samples(dataset, workers=0, **kwargs):
    loader = DataLoader(dataset, None, num_workers=workers, **kwargs)
    return list(loader)


def assert_identical(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        a_inputs, b_inputs = (
            x['inputs'] if isinstance(x['inputs'], list) else [x['inputs']]
            for x in (a, b)
        )
        for x, y in zip(a_inputs, b_inputs, strict=True):
            assert torch.equal(x, y)
        a, b = a['data_samples'], b['data_samples']
        assert a.metainfo == b.metainfo
        assert torch.equal(a.gt_label, b.gt_label)


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('transforms', [[PAIR], SINGLE], ids=['pair', 'single'])
def test_the_same_samples(faces, set_epoch, transforms, workers):
    plain = NoisyLabels(faces(*transforms, pack=PACK_ALL), rate=0.3)
    cached = RAMCache(plain)
    cached.full_init()
    epochs = []
    for epoch in range(3):
        set_epoch(plain, epoch)
        expected = samples(plain)
        assert_identical(samples(cached, workers), expected)
        assert expected[0]['data_samples'].metainfo['scale_factor'] == (0.4, 0.32)
        epochs.append(torch.stack([s['inputs'][0] for s in expected]))
    assert not torch.equal(epochs[0], epochs[1])


@pytest.mark.parametrize(
    'wrap',
    [
        lambda faces: faces(),
        lambda faces: RepeatDataset(faces(), 2),
        lambda faces: NoisyLabels(BothDatasets([faces(), faces()]), rate=0.5),
        lambda faces: ConcatDataset(
            [NoisyLabels(faces(), rate=0.5), NoisyLabels(faces(), rate=0.5, seed=1)]
        ),
    ],
    ids=['alone', 'repeated', 'noisy outside', 'noisy inside'],
)
def test_the_same_samples_in_any_nesting(faces, set_epoch, wrap):
    plain = wrap(lambda: faces(PAIR))
    set_epoch(plain, 1)
    assert_identical(samples(RAMCache(plain)), samples(plain))


@pytest.mark.parametrize('workers', [0, 2])
def test_repeated_samples_are_drawn_anew(faces, set_epoch, workers):
    plain = RepeatDataset(faces(PAIR), 2)
    set_epoch(plain, 0)
    cached = RAMCache(plain)
    cached.full_init()
    served = []
    for dataset in (plain, cached):
        loader = DataLoader(
            dataset,
            5,
            num_workers=workers if dataset is cached else 0,
            collate_fn=list,
        )
        count_draws(loader)
        served.append([sample for batch in loader for sample in batch])
    assert_identical(*served)
    once, again = served[1][:12], served[1][12:]
    views = [torch.stack([s['inputs'][0] for s in part]) for part in (once, again)]
    assert (views[0] != views[1]).flatten(1).any(1).all()


@pytest.mark.parametrize(('context', 'workers'), [('fork', 2), ('spawn', 1)])
def test_one_copy_for_all_workers(faces, context, workers):
    plain = NoisyLabels(faces(dict(type='ErasingFlipPair', prob=0)))
    cached = RAMCache(plain)
    cached.full_init()
    loader = DataLoader(
        cached,
        None,
        num_workers=workers,
        persistent_workers=True,
        multiprocessing_context=context,
    )
    assert_identical(list(loader), samples(plain))
    # Written here, seen by the workers that run since then.
    cached.store.images.copy_(torch.arange(12).view(-1, 1, 1, 1))
    views = [sample['inputs'][0] for sample in loader]
    loader._iterator._shutdown_workers()
    assert [view.unique().tolist() for view in views] == [[i] for i in range(12)]


def test_transforms_may_write_into_the_image(faces):
    class InPlace:
        def __call__(self, results):
            results['img'][:] = 7
            results['ori_shape'] = 'changed'
            return results

    dataset = faces()
    cache = RAMCache(dataset)
    cache.full_init()
    before = cache.store.images.clone()
    dataset.pipeline.transforms.insert(3, InPlace())
    for _ in range(2):
        assert cache[0]['inputs'].max() == 7
    assert torch.equal(cache.store.images, before)
    assert cache.store.results(0)['ori_shape'] == (100, 100)


def test_each_image_is_decoded_once(faces, monkeypatch):
    cache = RAMCache(RepeatDataset(faces(PAIR), 2))
    cache.full_init()
    assert len(cache.store.images) == 12
    monkeypatch.setattr(cv2, 'imdecode', None)
    cache.full_init()
    assert len([cache[i] for i in range(24)]) == 24


def test_data_sets_without_files(set_epoch):
    pipeline = [SeedAugmentation(), PAIR, dict(type='PackInputs')]
    plain = NoisyLabels(SyntheticFER(size=9, img_size=32, pipeline=pipeline))
    set_epoch(plain, 0)
    assert_identical(samples(RAMCache(plain)), samples(plain))


def test_room_is_asked_for_first(faces, monkeypatch):
    # 12 images of 32 x 40 x 3
    monkeypatch.setattr(ram_cache, 'free_shared_memory', lambda: 12 * 32 * 40 * 3 - 1)
    with pytest.raises(MemoryError, match=r'shared memory.*--shm-size.*indices'):
        RAMCache(faces()).full_init()
    monkeypatch.setattr(ram_cache, 'free_shared_memory', lambda: 12 * 32 * 40 * 3)
    RAMCache(faces()).full_init()


def test_images_are_in_shared_memory_once(faces):
    cache = RAMCache(faces())
    cache.full_init()
    assert cache.store.images.is_shared()
    assert cache.store.images.numpy().dtype == np.uint8
