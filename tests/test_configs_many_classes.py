"""The recipes of AffectNet, CIFAR-100 and Tiny-ImageNet: what they say, and a step."""

import pickle
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmpretrain.datasets import CIFAR100
from mmpretrain.registry import DATASETS, MODELS

from eac_mm.apis import build_runner, load_config
from eac_mm.engine import ResultHook

CONFIGS = Path(__file__).parents[1] / 'configs'
NOISE = {'clean': 0.0, 'noise10': 0.1, 'noise20': 0.2, 'noise30': 0.3}
# data set -> its class, classes, noises, evaluated split, side of an image
SETS = {
    'affectnet': ('AffectNet', 7, tuple(NOISE), 'val', 224),
    'cifar100': ('CIFAR100', 100, tuple(NOISE)[1:], 'test', 32),
    'tinyimagenet': ('TinyImageNet', 200, tuple(NOISE)[1:], 'val', 64),
}
# Tables 1, 5 and 6 of the paper, in the order of the noises
FIGURES = {
    ('baseline', 'affectnet'): ('no figure', '57.24 %', '55.89 %', '52.16 %'),
    ('eac', 'affectnet'): ('65.32 %', '61.11 %', '60.29 %', '58.91 %'),
    ('baseline', 'cifar100'): ('64.56 %', '57.33 %', '49.70 %'),
    ('eac', 'cifar100'): ('70.93 %', '66.73 %', '60.59 %'),
    ('baseline', 'tinyimagenet'): ('58.11 %', '49.56 %', '41.32 %'),
    ('eac', 'tinyimagenet'): ('70.22 %', '67.23 %', '63.51 %'),
}
TOP5 = {
    ('baseline', 'cifar100'): ('85.37 %', '78.93 %', '72.55 %'),
    ('eac', 'cifar100'): ('90.15 %', '87.01 %', '82.84 %'),
    ('baseline', 'tinyimagenet'): ('80.24 %', '72.43 %', '64.58 %'),
    ('eac', 'tinyimagenet'): ('90.23 %', '89.01 %', '87.18 %'),
}
RECIPES = [
    (method, dataset, noise)
    for method, dataset in FIGURES
    for noise in SETS[dataset][2]
]


def path_of(method, dataset, noise):
    return CONFIGS / method / f'resnet18_{dataset}_{noise}.py'


def test_no_recipe_is_left_out():
    there = {
        p
        for p in CONFIGS.glob('*/resnet18_*.py')
        if p.parent.name in ('baseline', 'eac')
        and re.split('[_-]', p.stem)[1] in SETS
        and '-' not in p.stem
    }
    assert there == {path_of(*recipe) for recipe in RECIPES}


@pytest.mark.parametrize(('method', 'dataset', 'noise'), RECIPES)
def test_recipe(method, dataset, noise):
    path = path_of(method, dataset, noise)
    type_, num_classes, noises, split, side = SETS[dataset]
    lines = path.read_text().splitlines()
    head = '\n'.join(lines[:4])
    assert f'python tools/train.py configs/{method}/{path.name}' in head
    assert FIGURES[method, dataset][noises.index(noise)] in head
    if dataset != 'affectnet':
        assert f'top-5 {TOP5[method, dataset][noises.index(noise)]}' in head
    assert len(lines) <= 25

    cfg = load_config(path)
    train = cfg.train_dataloader.dataset
    val = cfg.val_dataloader.dataset
    assert (train.type, train.kind) == ('NoisyLabels', 'symmetric')
    assert train.rate == NOISE[noise]
    assert train.dataset.type == val.type == type_
    assert (train.dataset.split, val.split) == ('train', split)
    assert val.test_mode
    assert cfg.test_dataloader.dataset == val

    types = [t['type'] for t in train.dataset.pipeline]
    assert types.index('SeedAugmentation') < len(types) - 2
    if method == 'baseline':
        assert types[-3:] == ['Erasing', 'RandomFlip', 'PackInputs']
        assert cfg.model.head.type == 'LinearClsHead'
    else:
        assert types[-2:] == ['ErasingFlipPair', 'PackInputs']
        assert train.dataset.pipeline[-2].erasing == 'shared'
        assert cfg.model.head.consistency_weight == 5.0
        assert cfg.model.head.consistency.distance == 'mse'
    resize = [t for t in train.dataset.pipeline if 'Crop' in t.type or 'Res' in t.type]
    assert resize[0].get('scale', (side, side)) == (side, side)
    assert resize[0].get('crop_size', side) == side
    model = MODELS.build(cfg.model)
    assert model.head.num_classes == num_classes
    assert model.head.fc.weight.shape == (num_classes, 512)


@pytest.mark.parametrize(('method', 'dataset'), FIGURES)
def test_what_is_measured(method, dataset):
    cfg = load_config(path_of(method, dataset, 'noise30'))
    topk = (1,) if dataset == 'affectnet' else (1, 5)
    assert cfg.val_evaluator == dict(type='Accuracy', topk=topk)
    assert cfg.test_evaluator[0] == cfg.val_evaluator
    assert cfg.default_hooks.result.last == 5
    assert cfg.val_cfg.type == 'NoisyLabelValLoop'


@pytest.mark.parametrize('method', ['baseline', 'eac'])
def test_affectnet_has_the_paper_s_schedule_and_balanced_classes(method):
    cfg = load_config(path_of(method, 'affectnet', 'noise30'))
    assert cfg.optim_wrapper.optimizer == dict(type='Adam', lr=2e-4, weight_decay=1e-4)
    assert cfg.param_scheduler == dict(type='ExponentialLR', gamma=0.9, by_epoch=True)
    assert cfg.train_cfg.max_epochs == 60
    assert cfg.train_dataloader.batch_size == 32
    assert cfg.train_dataloader.sampler == dict(type='ClassBalancedSampler')
    assert cfg.val_dataloader.sampler == dict(type='DefaultSampler', shuffle=False)


@pytest.mark.parametrize('dataset', ['cifar100', 'tinyimagenet'])
@pytest.mark.parametrize('method', ['baseline', 'eac'])
def test_schedule_from_scratch(method, dataset):
    cfg = load_config(path_of(method, dataset, 'noise30'))
    assert cfg.optim_wrapper.optimizer == dict(
        type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    assert cfg.param_scheduler == dict(
        type='CosineAnnealingLR', T_max=cfg.train_cfg.max_epochs, by_epoch=True
    )
    assert cfg.train_cfg.max_epochs == 100
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 128
    assert cfg.train_dataloader.sampler == dict(type='DefaultSampler', shuffle=True)
    ramp = cfg.default_hooks.get('ramp')
    assert ramp == (
        dict(type='ConsistencyRampHook', epochs=10) if method == 'eac' else None
    )


@pytest.mark.parametrize(
    ('dataset', 'side', 'map_side'), [('cifar100', 32, 4), ('tinyimagenet', 64, 8)]
)
def test_the_map_is_large_enough_to_flip(dataset, side, map_side):
    model = MODELS.build(load_config(path_of('eac', dataset, 'noise10')).model).eval()
    with torch.no_grad():
        features = model.feature_map(torch.zeros(1, 3, side, side))
    assert features.shape == (1, 512, map_side, map_side)


def test_colours():
    """What is erased is near zero after normalisation, in the images' own order."""
    for dataset in ('cifar100', 'tinyimagenet'):
        cfg = load_config(path_of('eac', dataset, 'noise10'))
        pair = cfg.train_dataloader.dataset.dataset.pipeline[-2]
        mean = list(cfg.model.data_preprocessor.mean)
        if dataset == 'cifar100':  # RGB throughout
            assert cfg.model.data_preprocessor.to_rgb is False
            assert list(pair.fill) == mean
        else:  # loaded as BGR; Erasing's own colour is ImageNet's
            assert cfg.model.data_preprocessor.to_rgb is True
            assert 'fill' not in pair
            assert mean == [123.675, 116.28, 103.53]


@pytest.mark.parametrize('dataset', SETS)
def test_eac_and_baseline_differ_in_the_method_alone(dataset):
    baseline, eac = (
        load_config(path_of(method, dataset, 'noise30')).to_dict()
        for method in ('baseline', 'eac')
    )
    for cfg in (baseline, eac):
        cfg['train_dataloader']['dataset']['dataset'].pop('pipeline')
        cfg['model'].pop('type')
        head = cfg['model'].pop('head')
        assert (head['num_classes'], head['init_cfg']) == (SETS[dataset][1], None)
        cfg['default_hooks'].pop('ramp', None)
    assert baseline == eac


def test_nothing_is_downloaded_unasked(tmp_path):
    cfg = load_config(path_of('eac', 'cifar100', 'noise10'))
    for data in (cfg.train_dataloader.dataset.dataset, cfg.val_dataloader.dataset):
        data.data_root = str(tmp_path / 'none')
        with pytest.raises(RuntimeError, match='Cannot find CIFAR100'):
            DATASETS.build(data)
    assert not (tmp_path / 'none').exists()


def write_images(folder, count, side, rng, ending='jpg'):
    folder.mkdir(parents=True)
    for i in range(count):
        image = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f'{i}.{ending}'), image)


@pytest.fixture(scope='module')
def roots(tmp_path_factory):
    """Each data set in its official layout, of random pixels."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp('data')
    for split, count in (('train', 21), ('val', 7)):
        folder = root / 'affectnet' / f'{split}_set'
        write_images(folder / 'images', count, 64, rng)
        (folder / 'annotations').mkdir()
        for i in range(count):
            np.save(folder / 'annotations' / f'{i}_exp.npy', str(i % 7))

    folder = root / 'cifar100' / 'cifar-100-python'
    folder.mkdir(parents=True)
    for split, count in (('train', 100), ('test', 8)):
        data = rng.integers(0, 256, (count, 3 * 32 * 32), dtype=np.uint8)
        content = dict(data=data, fine_labels=list(range(count)))
        (folder / split).write_bytes(pickle.dumps(content))

    folder = root / 'tinyimagenet'
    wnids = [f'n{i:08d}' for i in range(200)]
    for wnid in wnids:
        write_images(folder / 'train' / wnid / 'images', 1, 64, rng, 'JPEG')
    write_images(folder / 'val' / 'images', 8, 64, rng, 'JPEG')
    (folder / 'wnids.txt').write_text('\n'.join(wnids))
    lines = [f'{i}.JPEG\t{wnids[i]}\t0\t0\t9\t9' for i in range(8)]
    (folder / 'val' / 'val_annotations.txt').write_text('\n'.join(lines))
    return root


@pytest.mark.parametrize(('method', 'dataset', 'noise'), RECIPES)
def test_one_epoch_of_made_data(method, dataset, noise, roots, tmp_path, monkeypatch):
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)
    monkeypatch.setattr(Runner, 'dump_config', lambda *args: None)
    monkeypatch.setattr(CIFAR100, 'train_list', [['train', None]])
    monkeypatch.setattr(CIFAR100, 'test_list', [['test', None]])
    root = str(roots / dataset)
    options = {
        'train_dataloader.dataset.dataset.data_root': root,
        'val_dataloader.dataset.data_root': root,
        'test_dataloader.dataset.data_root': root,
        'train_dataloader.num_workers': 0,
        'val_dataloader.num_workers': 0,
        'test_dataloader.num_workers': 0,
        'train_cfg.max_epochs': 1,
        'model.backbone.stem_channels': 8,
        'model.backbone.base_channels': 8,
        'model.head.in_channels': 64,
        'default_hooks.checkpoint': None,
        # MMEngine collects all garbage for each data set that it serialises
        'train_dataloader.dataset.dataset.serialize_data': False,
        'val_dataloader.dataset.serialize_data': False,
        'log_level': 'ERROR',
    }
    if dataset != 'affectnet':  # whose classes must all be there
        options['train_dataloader.dataset.dataset.indices'] = 16
    cfg = load_config(path_of(method, dataset, noise), options, str(tmp_path))
    runner = build_runner(cfg)
    runner.train()
    assert runner.iter == 1
    metrics = next(h for h in runner.hooks if isinstance(h, ResultHook)).epochs[0]
    assert 'accuracy/top1' in metrics
    assert ('accuracy/top5' in metrics) == (dataset != 'affectnet')
    wrong = len(runner.train_dataloader.dataset.wrong_indices)
    assert ('noise/memorised' in metrics) == (wrong > 0)
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())
