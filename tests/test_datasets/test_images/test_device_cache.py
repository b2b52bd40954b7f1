import gc
import json
from collections import Counter

import numpy as np
import pytest
import torch
from mmengine.dataset import RepeatDataset
from mmengine.hooks import Hook
from mmengine.registry import FUNCTIONS
from mmpretrain.registry import HOOKS
from mmpretrain.structures import DataSample
from torch.utils.data import ConcatDataset, DataLoader

from eac_mm.apis import build_runner, load_config, resume
from eac_mm.datasets import BadImageError, DeviceCache, NoisyLabels
from eac_mm.datasets.draws import Draw, count_draws
from eac_mm.datasets.images import device_cache, ready_batch
from eac_mm.datasets.images.device_cache import numbers_of
from eac_mm.datasets.wrappers import find

from .conftest import SINGLE

PAIR = dict(type='ErasingFlipPair')
STILL = dict(type='ErasingFlipPair', prob=0)


def look(cache, *indices):
    """Views of a batch, (N, views, C, H, W)."""
    views = cache.__getitems__(list(indices))['inputs']
    return torch.stack(views if isinstance(views, list) else [views], 1)


def test_the_images_are_those_of_the_pipeline(faces, set_epoch):
    dataset = faces(STILL)
    cache = DeviceCache(dataset)
    set_epoch(dataset, 0)
    batch = cache.__getitems__([3, 11, 3, 0])
    assert sorted(batch) == ['data_samples', 'inputs']
    for view, found in enumerate(batch['inputs']):
        expected = [dataset[i]['inputs'][view] for i in (3, 11, 3, 0)]
        assert torch.equal(found, torch.stack(expected))
        assert found.dtype == torch.uint8
        assert found.is_contiguous(memory_format=torch.channels_last)
    single = cache[11]
    for one, view in zip(single['inputs'], batch['inputs'], strict=True):
        assert torch.equal(one, view[1])
    assert single['data_samples'].img_path == dataset[11]['data_samples'].img_path


SETTINGS = [
    [dict(**PAIR, noise_variance=30)],
    [dict(**PAIR, erasing='independent', noise_variance=30)],
    SINGLE,
]


@pytest.mark.parametrize('settings', SETTINGS)
def test_a_sample_gets_the_same_in_any_batch(faces, set_epoch, settings):
    dataset, few = faces(*settings), faces(*settings, indices=5)
    cache, fewer = DeviceCache(dataset), DeviceCache(few)
    for each in (dataset, few):
        set_epoch(each, 4)
    whole = look(cache, *range(12))
    assert torch.equal(look(cache, 7, 2, 7), whole[[7, 2, 7]])
    assert torch.equal(look(cache, 11), whole[11:])
    # of a smaller data set, and of a part of this one, too
    assert torch.equal(look(fewer, 4, 0), whole[[4, 0]])
    assert torch.equal(look(cache.get_subset([9, 4]), 0, 1), whole[[9, 4]])
    # again in this epoch of this seed, and in no other
    for epoch, seed, same in [(5, 3, False), (4, 2, False), (4, 3, True)]:
        set_epoch(dataset, epoch, seed)
        assert torch.equal(look(cache, *range(12)), whole) is same


def test_numbers_are_rows_of_one_stream():
    samples, before = np.array([9, 2, 2, 0, 9]), np.array([0, 0, 1, 0, 2])
    leaf = np.array([0, 0, 0, 0, 0])
    found = numbers_of(3, 4, samples, before, leaf, 5)
    leaf = np.array([0, 2, 1, 0, 1])
    several = numbers_of(3, 4, samples, before, leaf, 5)
    keys = [(1,), (1, 0, 2), (1, 1, 1), (1,), (1, 2, 1)]
    for row, key in enumerate(keys):
        words = np.random.SeedSequence([3, 4], spawn_key=key)
        table = np.random.default_rng(words).random((10, 5))
        assert several[row].tolist() == table[samples[row]].tolist()
    for row, (sample, times) in enumerate(zip(samples, before, strict=True)):
        key = (1, times) if times else (1,)
        words = np.random.SeedSequence([3, 4], spawn_key=key)
        table = np.random.default_rng(words).random((10, 5))
        assert found[row].tolist() == table[sample].tolist()
    assert len(np.unique(found)) == found.size


def test_a_sample_drawn_again_is_augmented_anew(faces, set_epoch):
    dataset = faces(dict(**PAIR, prob=1))
    cache = DeviceCache(dataset)
    set_epoch(dataset, 2)
    once, again, third = look(cache, 5, Draw(5, 1), Draw(5, 2))
    assert torch.equal(look(cache, 5)[0], once)
    assert torch.equal(look(cache, Draw(5, 1))[0], again)
    different = [(once, again), (once, third), (again, third)]
    assert not any(torch.equal(a, b) for a, b in different)


def test_a_repeated_data_set(faces, set_epoch):
    """Under a loader that counts: 24 draws of 12 images, no two alike."""
    repeated = RepeatDataset(faces(dict(**PAIR, prob=1)), 2)
    set_epoch(repeated, 0)
    cache = DeviceCache(repeated)
    loader = DataLoader(cache, 8, collate_fn=ready_batch)
    count_draws(loader)
    batches = list(loader)
    assert len(cache.store.images) == 12
    views = torch.cat([batch['inputs'][0] for batch in batches])
    assert len({view.numpy().tobytes() for view in views}) == 24
    paths = Counter(s.img_path for batch in batches for s in batch['data_samples'])
    assert set(paths.values()) == {2}
    assert torch.equal(views[:12], look(cache, *range(12))[:, 0])


def test_samples_of_several_data_sets_are_augmented_apart(faces, set_epoch):
    """The same images, so that only the augmentation can tell them apart."""
    dataset = ConcatDataset([faces(dict(**PAIR, prob=1)) for _ in range(2)])
    set_epoch(dataset, 0)
    cache = DeviceCache(dataset)
    views = look(cache, *range(24))
    for i in range(12):
        assert not torch.equal(views[i], views[12 + i])
    assert torch.equal(look(cache.get_subset([15, 3]), 0, 1), views[[15, 3]])


def test_the_images_stay_as_they_are(faces, set_epoch):
    dataset = faces(dict(**PAIR, prob=1, noise_variance=30))
    cache = DeviceCache(dataset)
    cache.full_init()
    before = cache.store.images.clone()
    for epoch in range(2):
        set_epoch(dataset, epoch)
        look(cache, *range(12)).zero_()
        for view in cache.__getitems__(range(12))['inputs']:
            view.zero_()
    assert torch.equal(cache.store.images, before)


def test_without_an_epoch_nothing_is_seeded(faces):
    """As SeedAugmentation then does nothing: NumPy's generator goes on."""
    cache = DeviceCache(faces(dict(**PAIR, prob=1)))
    cache.full_init()
    state = np.random.get_state()
    first, second = look(cache, 0), look(cache, 0)
    np.random.set_state(state)
    assert not torch.equal(first, second)
    assert torch.equal(look(cache, 0), first)


def test_room_is_asked_for_first(faces, monkeypatch):
    need = 12 * 32 * 40 * 3
    monkeypatch.setattr(device_cache, 'free_on', lambda device: need - 1)
    with pytest.raises(MemoryError, match='free in cpu memory.*--cache none'):
        DeviceCache(faces(PAIR)).full_init()
    monkeypatch.setattr(device_cache, 'free_on', lambda device: need)
    DeviceCache(faces(PAIR)).full_init()


def test_the_device_is_the_runners(faces, monkeypatch):
    monkeypatch.setattr(device_cache, 'get_device', lambda: 'meta')
    assert DeviceCache(faces(PAIR)).device == torch.device('meta')
    assert DeviceCache(faces(PAIR), device='cpu').device == torch.device('cpu')


def test_errors(faces):
    with pytest.raises(ValueError, match='cannot run RandomCrop'):
        DeviceCache(faces(dict(type='RandomCrop', crop_size=8), PAIR)).full_init()
    dataset = faces(PAIR)
    dataset.pipeline.transforms[0].read = raise_bad
    with pytest.raises(BadImageError, match='this one'):
        DeviceCache(dataset).full_init()
    several = ConcatDataset([faces(PAIR), faces(STILL)])
    with pytest.raises(ValueError, match=r'several pipelines.*prob=0\.5.*--cache ram'):
        DeviceCache(several).full_init()
    loader = DataLoader(DeviceCache(faces(PAIR)), 4, num_workers=1)
    with pytest.raises(ValueError, match='workers of a loader.*num_workers=0'):
        next(iter(loader))


def test_it_is_the_outermost(faces):
    inner = ConcatDataset([DeviceCache(faces(PAIR))])
    with pytest.raises(ValueError, match='DeviceCache is inside ConcatDataset.*Fix'):
        count_draws(DataLoader(inner, 4))


def raise_bad(path):
    raise BadImageError('this one')


def test_samples_are_those_of_the_data_set(faces, set_epoch):
    noisy = NoisyLabels(faces(PAIR), rate=0.5)
    set_epoch(noisy, 0)
    batch = DeviceCache(noisy).__getitems__([0, 5, 11])
    for idx, found in zip((0, 5, 11), batch['data_samples'], strict=True):
        expected = noisy[idx]['data_samples']
        assert torch.equal(found.gt_label, expected.gt_label)
        assert found.metainfo == expected.metainfo


def test_a_sample_is_the_same_whatever_was_done_to_it_before(faces):
    noisy = NoisyLabels(faces(PAIR), rate=0.5)
    cache = DeviceCache(noisy)
    first = cache[4]['data_samples']
    label = first.gt_label.clone()
    first.gt_label.fill_(6 - int(label))
    first.set_pred_label(2)
    first.set_metainfo(dict(clean_label=9))
    first.set_field([1], 'more')
    again = cache[4]['data_samples']
    assert torch.equal(again.gt_label, label)
    assert again.clean_label == noisy.clean_labels[4]
    assert again.keys() == ['gt_label']


def test_no_sample_is_kept(faces):
    """280,000 of them would take 0.4 GB that nobody asked for."""

    def alive():
        gc.collect()
        return sum(isinstance(one, DataSample) for one in gc.get_objects())

    cache = DeviceCache(NoisyLabels(faces(PAIR)))
    before = alive()
    served = cache.__getitems__(range(12))
    assert alive() == before + 12
    del served
    assert alive() == before


def test_numbers_are_not_the_samplers(faces, set_epoch):
    dataset = faces(SINGLE[1])
    cache = DeviceCache(dataset)
    set_epoch(dataset, 0, seed=3)
    cache.full_init()
    still = cache.store.images.permute(0, 3, 1, 2)
    flipped = (look(cache, *range(12))[:, 0] != still).flatten(1).any(1).numpy()
    drawn = np.random.default_rng([3, 0]).random(12) < 0.5
    assert (flipped != drawn).any()


def test_registered():
    assert FUNCTIONS.get('ready_batch') is ready_batch
    batch = dict(inputs=1)
    assert ready_batch(batch) is batch


# in a run

OPTIONS = {
    'train_dataloader.dataset.dataset.size': 40,
    'train_dataloader.batch_size': 16,
    'val_dataloader.dataset.size': 16,
    'val_dataloader.num_workers': 0,
    'train_cfg.max_epochs': 3,
    'optim_wrapper.type': 'OptimWrapper',
    'visualizer.vis_backends': [],
    'randomness.deterministic': True,
    'model.backbone.stem_channels': 16,
    'model.backbone.base_channels': 16,
    'model.head.in_channels': 128,
}


class StopAfter(Hook):
    """Interrupt a run after the first step of its third epoch."""

    def after_train_iter(self, runner, batch_idx, **kwargs):
        if (runner.epoch, batch_idx) == (2, 0):
            raise KeyboardInterrupt


if 'StopAfter' not in HOOKS:
    HOOKS.register_module(module=StopAfter)


def train(work_dir, method='eac', goes_on=False, hooks=(), **options):
    recipe = f'configs/{method}/resnet18_syntheticfer_noise30.py'
    options = {**OPTIONS, **options}
    cfg = load_config(recipe, options, work_dir=str(work_dir), cache='device')
    cfg.experiment_name = f'{work_dir.name}{goes_on}'
    if goes_on:
        resume(cfg)
    runner = build_runner(cfg)
    runner.register_custom_hooks(list(hooks))  # no part of the run's settings
    runner.train()
    return runner


@pytest.fixture
def in_the_repository(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures('in_the_repository')
@pytest.mark.parametrize('method', ['eac', 'baseline'])
def test_a_resumed_run_is_the_same_to_the_bit(tmp_path, method):
    # balanced classes: samples are drawn several times in an epoch
    balanced = {
        'train_dataloader.sampler': dict(_delete_=True, type='ClassBalancedSampler')
    }
    whole = train(tmp_path / 'whole', method, **balanced)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / 'run', method, hooks=[dict(type='StopAfter')], **balanced)
    run = train(tmp_path / 'run', method, goes_on=True, **balanced)
    expected = whole.model.state_dict()
    for key, value in run.model.state_dict().items():
        assert torch.equal(value, expected[key]), key
    [cache] = find(run.train_dataloader.dataset, DeviceCache)
    assert len(cache.store.images) == 40
    # the noisy labels were measured, too
    results = [
        json.loads((tmp_path / name / 'result.json').read_text())['epochs']
        for name in ('whole', 'run')
    ]
    for epochs in results:
        for entry in epochs:
            entry.pop('seconds')
    assert results[0] == results[1]
    assert any('memor' in key for key in results[0][0])
