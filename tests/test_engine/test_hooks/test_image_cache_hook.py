"""Trainings whose images lie on the device."""

import json
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmpretrain.models.utils import ClsDataPreprocessor
from mmpretrain.registry import HOOKS
from torch import nn
from torch.utils.data import Subset

from eac_mm.apis import build_runner, load_config, resume
from eac_mm.datasets import NoisyLabels, SyntheticFER
from eac_mm.engine import ImageCacheHook
from eac_mm.engine.hooks.image_cache_hook import noisy_labels
from eac_mm.models import EACDataPreprocessor

OPTIONS = {
    'train_dataloader.dataset.cache': 'device',
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


def train(work_dir, method='eac', goes_on=False, **options):
    recipe = f'configs/{method}/resnet18_syntheticfer_noise30.py'
    cfg = load_config(recipe, {**OPTIONS, **options}, work_dir=str(work_dir))
    cfg.experiment_name = f'{work_dir.name}{goes_on}'
    if goes_on:
        resume(cfg)
    runner = build_runner(cfg)
    runner.train()
    return runner


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize('method', ['eac', 'baseline'])
def test_a_resumed_run_is_the_same_to_the_bit(tmp_path, method):
    whole = train(tmp_path / 'whole', method)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / 'run', method, custom_hooks=[dict(type='StopAfter')])
    run = train(tmp_path / 'run', method, goes_on=True)
    expected = whole.model.state_dict()
    assert not any('images' in key for key in expected)
    for key, value in run.model.state_dict().items():
        assert torch.equal(value, expected[key]), key
    # the wrongly labelled images were measured, too
    results = [
        json.loads((tmp_path / name / 'result.json').read_text())['epochs']
        for name in ('whole', 'run')
    ]
    for epochs in results:
        for entry in epochs:
            entry.pop('seconds')
    assert results[0] == results[1]
    assert any('memor' in key for key in results[0][0])


def test_wrappers_are_looked_into():
    noisy = NoisyLabels(SyntheticFER(size=3, img_size=24))
    assert noisy_labels(noisy) is noisy
    assert noisy_labels(Subset(noisy, [2])) is noisy
    assert noisy_labels(SyntheticFER(size=3, img_size=24)) is None


def runner_of(preprocessor, cache):
    pipeline = [
        dict(type='SeedAugmentation'),
        dict(type='ErasingFlipPair'),
        dict(type='PackInputs'),
    ]
    data = SyntheticFER(size=3, img_size=24, pipeline=pipeline)
    model = nn.Module()
    model.data_preprocessor = preprocessor
    dataset = NoisyLabels(data, cache=cache)
    return SimpleNamespace(
        model=model, train_dataloader=SimpleNamespace(dataset=dataset)
    )


@pytest.mark.parametrize('cache', ['none', 'ram', 'device'])
def test_the_preprocessor_gets_the_images(cache):
    preprocessor = EACDataPreprocessor()
    runner = runner_of(preprocessor, cache)
    ImageCacheHook().before_train(runner)
    assert (preprocessor.images is not None) == (cache == 'device')
    images = preprocessor.images
    ImageCacheHook().before_train(runner)
    assert preprocessor.images is images  # decoded once


def test_another_preprocessor():
    runner = runner_of(ClsDataPreprocessor(), 'device')
    with pytest.raises(TypeError, match="model's is ClsDataPreprocessor.*cache=ram"):
        ImageCacheHook().before_train(runner)
    ImageCacheHook().before_train(runner_of(ClsDataPreprocessor(), 'ram'))
