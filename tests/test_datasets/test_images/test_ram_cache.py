import copy

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset
from torch.utils.data import DataLoader

from eac_mm.datasets import (
    BadImageError,
    FolderFaces,
    NoisyLabels,
    SeedAugmentation,
    SyntheticFER,
)
from eac_mm.datasets.images import RAMCache, ram_cache

from .conftest import LOAD, SINGLE

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
    plain, cached = (
        NoisyLabels(faces(*transforms, PACK_ALL), rate=0.3, cache=cache)
        for cache in ('none', 'ram')
    )
    for dataset in (plain, cached):
        del dataset.dataset.pipeline.transforms[-1]  # the fixture's PackInputs
    epochs = []
    for epoch in range(3):
        for dataset in (plain, cached):
            set_epoch(dataset, epoch)
        expected = samples(plain)
        assert_identical(samples(cached, workers), expected)
        assert expected[0]['data_samples'].metainfo['scale_factor'] == (0.4, 0.32)
        epochs.append(torch.stack([s['inputs'][0] for s in expected]))
    assert not torch.equal(epochs[0], epochs[1])


@pytest.mark.parametrize(('context', 'workers'), [('fork', 2), ('spawn', 1)])
def test_one_copy_for_all_workers(faces, context, workers):
    still = dict(type='ErasingFlipPair', prob=0)
    plain, cached = (NoisyLabels(faces(still), cache=c) for c in ('none', 'ram'))
    loader = DataLoader(
        cached,
        None,
        num_workers=workers,
        persistent_workers=True,
        multiprocessing_context=context,
    )
    assert_identical(list(loader), samples(plain))
    # Written here, seen by the workers that run since then.
    cached.images.images.copy_(torch.arange(12).view(-1, 1, 1, 1))
    views = [sample['inputs'][0] for sample in loader]
    loader._iterator._shutdown_workers()
    assert [view.unique().tolist() for view in views] == [[i] for i in range(12)]


def test_copied_data_set_shares_the_images(faces):
    noisy = NoisyLabels(faces(PAIR), cache='ram')
    other = copy.deepcopy(noisy)
    assert other.images.images.data_ptr() == noisy.images.images.data_ptr()
    assert (
        other.dataset.pipeline.transforms[2]
        is not (noisy.dataset.pipeline.transforms[2])
    )


def test_transforms_may_write_into_the_image(faces):
    class InPlace:
        def __call__(self, results):
            results['img'][:] = 7
            results['ori_shape'] = 'changed'
            return results

    cache = RAMCache(faces())
    before = cache.images.clone()
    for _ in range(2):
        assert cache.load(0, [InPlace()])['img'].max() == 7
    assert torch.equal(cache.images, before)
    assert cache.results(0)['ori_shape'] == (100, 100)


def test_each_image_is_decoded_once(faces, monkeypatch):
    noisy = NoisyLabels(faces(PAIR), cache='ram')
    monkeypatch.setattr(cv2, 'imdecode', None)
    assert len([noisy[i] for i in range(12)]) == 12


def test_indices(faces):
    noisy = NoisyLabels(faces(PAIR, indices=[7, 2]), cache='ram')
    assert len(noisy.images.images) == 2
    assert [noisy[i]['data_samples'].img_path[-16:-12] for i in (0, 1, -1)] == [
        '0008',
        '0003',
        '0003',
    ]


def test_data_sets_without_files(set_epoch):
    def faces(cache):
        pipeline = [SeedAugmentation(), PAIR, dict(type='PackInputs')]
        data = SyntheticFER(size=9, img_size=32, pipeline=pipeline)
        return NoisyLabels(data, cache=cache)

    plain, cached = faces('none'), faces('ram')
    for dataset in (plain, cached):
        set_epoch(dataset, 0)
    assert_identical(samples(cached), samples(plain))


def test_room_is_asked_for_first(faces, monkeypatch):
    # 12 images of 32 x 40 x 3
    monkeypatch.setattr(ram_cache, 'free_shared_memory', lambda: 12 * 32 * 40 * 3 - 1)
    with pytest.raises(MemoryError, match=r'shared memory.*--shm-size.*indices'):
        RAMCache(faces())
    monkeypatch.setattr(ram_cache, 'free_shared_memory', lambda: 12 * 32 * 40 * 3)
    RAMCache(faces())


@pytest.fixture
def folder(tmp_path):
    for i, size in enumerate([20, 20, 24]):
        path = tmp_path / 'train' / 'ab'[i % 2]
        path.mkdir(parents=True, exist_ok=True)
        image = np.full((size, size, 3), i, np.uint8)
        cv2.imwrite(str(path / f'{i}.png'), image)

    def build(*load):
        pipeline = [*load, dict(type='SeedAugmentation'), dict(type='PackInputs')]
        return FolderFaces(
            data_root=str(tmp_path),
            data_prefix='train',
            classes=['a', 'b'],
            pipeline=pipeline,
        )

    return build


def test_images_of_one_size(folder):
    with pytest.raises(ValueError, match=r'a/2.png is of shape \(24, 24, 3\),.*20'):
        RAMCache(folder(LOAD[0]))


def test_bad_image(folder, tmp_path):
    bad = tmp_path / 'train' / 'b' / '1.png'
    bad.write_bytes(bad.read_bytes()[:-20])
    with pytest.raises(BadImageError, match=r'b/1.png.*cut off'):
        NoisyLabels(folder(*LOAD), cache='ram')


def test_no_uint8_image(folder):
    with pytest.raises(ValueError, match='uint8 image before SeedAugmentation.*None'):
        RAMCache(folder())


def test_nowhere_to_stop(faces):
    dataset = faces(PAIR)
    del dataset.pipeline.transforms[2]
    with pytest.raises(ValueError, match=r"none in \['LoadFace', 'Resize', 'Eras"):
        NoisyLabels(dataset, cache='ram')
    with pytest.raises(ValueError, match='ConcatDataset is no BaseDataset'):
        NoisyLabels(ConcatDataset([faces(), faces()]), cache='ram')
    with pytest.raises(ValueError, match="cache='gpu' is unknown"):
        NoisyLabels(faces(), cache='gpu')
