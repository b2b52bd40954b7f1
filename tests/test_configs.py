"""Every recipe loads, says what it is, and builds its model."""

import re
from pathlib import Path

import pytest
from mmpretrain.registry import MODELS

from eac_mm.apis import load_config

CONFIGS = Path(__file__).parents[1] / 'configs'
FACES = re.compile('resnet18_(rafdb|ferplus|syntheticfer)_')
RECIPES = sorted(p for p in CONFIGS.glob('*/*.py') if FACES.match(p.name))
NAMES = [f'{p.parent.name}/{p.stem}' for p in RECIPES]
NOISE = {'clean': 0.0, 'noise10': 0.1, 'noise20': 0.2, 'noise30': 0.3}


def settings(path):
    backbone, dataset, noise, *variant = re.split('[_-]', path.stem)
    return path.parent.name, dataset, NOISE[noise], ''.join(variant)


def pair_transform(cfg):
    pipeline = cfg.train_dataloader.dataset.dataset.pipeline
    pairs = [t for t in pipeline if t['type'] == 'ErasingFlipPair']
    return pairs[0] if pairs else None


def test_the_recipes_are_there():
    expected = {
        f'{method}/resnet18_{dataset}_{noise}'
        for method in ('baseline', 'eac')
        for dataset in ('rafdb', 'ferplus')
        for noise in NOISE
    }
    expected |= {f'{name}-released' for name in expected if name.startswith('eac')}
    for method in ('baseline', 'eac'):
        expected.add(f'{method}/resnet18_ferplus_noise30-small')
        expected.add(f'{method}/resnet18_syntheticfer_noise30')
    assert set(NAMES) == expected


@pytest.mark.parametrize('path', RECIPES, ids=NAMES)
def test_recipe(path):
    method, dataset, rate, variant = settings(path)
    cfg = load_config(path)
    lines = path.read_text().splitlines()
    command = f'python tools/train.py configs/{method}/{path.name}'
    assert any(command in line for line in lines[:4])
    assert len(lines) <= 25

    train = cfg.train_dataloader.dataset
    assert (train.type, train.kind, train.rate) == ('NoisyLabels', 'symmetric', rate)
    names = dict(rafdb='RAFDB', ferplus='FERPlus', syntheticfer='SyntheticFER')
    assert train.dataset.type == cfg.val_dataloader.dataset.type == names[dataset]
    assert train.dataset.split == 'train'
    assert cfg.val_dataloader.dataset.test_mode
    assert cfg.val_dataloader.dataset.split != 'train'

    types = [t['type'] for t in train.dataset.pipeline]
    assert types.index('SeedAugmentation') < len(types) - 2
    pair = pair_transform(cfg)
    if method == 'baseline':
        assert types[-3:-1] == ['Erasing', 'RandomFlip']
        assert cfg.model.head.type == 'LinearClsHead'
    else:
        assert cfg.model.head.consistency_weight == 5.0
        assert cfg.model.head.consistency.distance == 'mse'
        released = variant == 'released'
        independent = released and rate > 0
        assert pair['erasing'] == ('independent' if independent else 'shared')
        assert pair.get('noise_variance', 0) == (30 if released else 0)
        if released and rate == 0:
            assert pair['noise_views'] == 'both'
    model = MODELS.build(cfg.model)
    assert model.head.num_classes == 7


@pytest.mark.parametrize('dataset', ['rafdb', 'ferplus'])
@pytest.mark.parametrize('method', ['baseline', 'eac'])
def test_the_paper_s_protocol(method, dataset):
    cfg = load_config(CONFIGS / method / f'resnet18_{dataset}_noise30.py')
    assert cfg.optim_wrapper.optimizer == dict(type='Adam', lr=2e-4, weight_decay=1e-4)
    assert cfg.param_scheduler == dict(type='ExponentialLR', gamma=0.9, by_epoch=True)
    assert cfg.train_cfg.max_epochs == 60
    assert cfg.train_dataloader.batch_size == 32
    assert cfg.default_hooks.result.last == 5
    resize = cfg.train_dataloader.dataset.dataset.pipeline[1]
    assert resize == dict(type='Resize', scale=(224, 224))


@pytest.mark.parametrize('dataset', ['rafdb', 'ferplus', 'syntheticfer'])
def test_eac_and_baseline_differ_in_the_method_alone(dataset):
    baseline, eac = (
        load_config(CONFIGS / method / f'resnet18_{dataset}_noise30.py').to_dict()
        for method in ('baseline', 'eac')
    )
    for cfg in (baseline, eac):
        cfg['train_dataloader']['dataset']['dataset'].pop('pipeline')
        cfg['model'].pop('type')
        cfg['model'].pop('head')
        cfg['default_hooks'].pop('ramp', None)
    assert baseline == eac
