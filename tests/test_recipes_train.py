"""Recipes train and validate on made data, with their networks at full size.

Recipes that differ in nothing but the noise, or in it and lambda, share one
training, that of the highest rate. EAC's rivals train on one data set a map size, and
on votes, the standard remedies on CIFAR-100, for their recipes are the baseline's but
for the model. tests/test_configs.py holds the settings of all.
"""

import json
import math
import re
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner
from mmpretrain.datasets import CIFAR100
from mmpretrain.registry import DATASETS, MODELS

from eac_mm.apis import build_runner, load_config

CONFIGS = Path(__file__).parents[1] / 'configs'
# One a network, data set and variant; clean labels have settings of their own in the
# released code's recipes, and once stand for no memorisation.
TWINS = re.compile(
    '_(noise10|noise20|annotator)|resnet18_(?!rafdb).*_clean$|(?<!18)_rafdb_clean'
)
RIVALS = ('dacl', 'dmue', 'ktn', 'ltnet', 'ran', 'rul', 'scn')
REMEDIES = ('label_smooth', 'mixup', 'gce', 'sce', 'gjs', 'elr', 'selc', 'sop')
REMEDIES += ('co_teaching', 'divide_mix')
EAC = ('eac', 'eac_plus')
PAIRED = ('gjs', 'sop')  # their heads take both views
ALL = sorted(
    p
    for p in CONFIGS.glob('*/*.py')
    if p.parent.name != '_base_'
    and not (
        p.parent.name in RIVALS
        and re.search('_ferplus_(?!.*(votes-s|released))', p.stem)
    )
    and not (p.parent.name in REMEDIES and '_cifar100_' not in p.stem)
)
RECIPES = [path for path in ALL if not TWINS.search(path.stem)]
# Classes, side of an image, and side of the last map at that size.
SIZES = {
    'rafdb': (7, 224, 7),
    'ferplus': (7, 224, 7),
    'ferplus-small': (7, 48, 6),
    'ferplus-pretrained': (7, 96, 5),
    'rafdb-96': (7, 96, 5),
    'affectnet': (7, 224, 7),
    'syntheticfer': (7, 48, 3),
    'cifar10': (10, 32, 4),
    'cifar100': (100, 32, 4),
    'tinyimagenet': (200, 64, 8),
}


class Watch:
    """What passes a network in training: a row for each view, or each step."""

    def __init__(self, model):
        self.head = model.head
        self.first_weight = None
        self.images, self.maps, self.compared, self.distances = [], [], [], []
        model.backbone.register_forward_hook(self.see_view)
        if hasattr(model.head, 'consistency_module'):
            model.head.consistency_module.register_forward_hook(self.see_comparison)

    def see_view(self, backbone, inputs, outputs):
        if not backbone.training:
            return
        if self.first_weight is None:
            self.first_weight = self.head.fc.weight.detach().clone()
        self.images.append(inputs[0].shape)
        self.maps.append(outputs[-1].shape)

    def see_comparison(self, _, maps, distance):
        self.compared.append([view.shape for view in maps[:2]])
        self.distances.append(distance.item())


def write_annotator(cfg, path):
    """Write the noisy labels as those of a second annotator."""
    settings = {**cfg.train_dataloader.dataset, 'type': 'NoisyLabels'}
    settings.pop('annotators')
    DATASETS.build(settings).write(path)
    return str(path)


def run(path, roots, work_dir):
    """An epoch of a batch or two: the runner, and what it watched."""
    dataset = path.stem.split('_')[1]
    cfg = load_config(path)
    balanced = cfg.train_dataloader.sampler.type == 'ClassBalancedSampler'
    ramped = 'ramp' in cfg.default_hooks  # from 0: its second step shows the weight
    options = {
        'train_cfg.max_epochs': 1,
        'train_dataloader.batch_size': 2 if ramped else 4,
        'default_hooks.logger.interval': 1,
        'default_hooks.checkpoint': None,
        'log_processor.window_size': 1,  # the log has each step's own losses
        'log_level': 'ERROR',
        'load_from': None,  # a package that need not be installed
    }
    # Of these labels, one or more are wrong at 10 % noise (seed 0). AffectNet's
    # balanced draw wants every class: it gets all eight images that there are.
    images = list(range(180, 184)) if dataset == 'tinyimagenet' else 4
    images = None if balanced and dataset == 'affectnet' else images
    for loader, dataset_of, indices in (
        ('train_dataloader', 'train_dataloader.dataset.dataset', images),
        ('val_dataloader', 'val_dataloader.dataset', 2),
    ):
        options[f'{loader}.num_workers'] = 0
        # MMEngine collects all garbage for each data set that it serialises.
        options[f'{dataset_of}.serialize_data'] = False
        if dataset == 'syntheticfer':
            options[f'{dataset_of}.size'] = indices
        else:
            options[f'{dataset_of}.data_root'] = str(roots[dataset])
            options[f'{dataset_of}.indices'] = indices
    if balanced and dataset == 'rafdb':  # four images are not of seven classes
        options['train_dataloader.sampler.allow_empty'] = True
    if 'annotators' in cfg.train_dataloader.dataset:
        made = write_annotator(load_config(path, options), work_dir / 'annotator.txt')
        options['train_dataloader.dataset.annotators'] = [made]
    if 'teacher' in cfg.model:
        weights = work_dir / 'teacher.pth'
        torch.save(MODELS.build(cfg.model.teacher).state_dict(), weights)
        options['model.teacher_weights'] = str(weights)
    runner = build_runner(load_config(path, options, str(work_dir)))
    watch = Watch(runner.model)
    runner.train()
    return runner, watch


@pytest.mark.parametrize('path', RECIPES, ids=lambda p: f'{p.parent.name}/{p.stem}')
def test_trains_and_validates(path, recipe_data, tmp_path, monkeypatch):
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)
    monkeypatch.setattr(Runner, 'dump_config', lambda *args: None)
    monkeypatch.setattr(CIFAR100, 'train_list', [['train', None]])
    monkeypatch.setattr(CIFAR100, 'test_list', [['test', None]])
    method = path.parent.name
    backbone, dataset, noise, *variants = re.split('[_-]', path.stem)
    protocols = [f'-{v}' for v in variants if v in ('small', 'pretrained')]
    if backbone == 'dlibface' and dataset == 'rafdb':
        protocols = ['-96']
    classes, side, map_side = SIZES[''.join([dataset, *protocols])]

    runner, watch = run(path, recipe_data, tmp_path)
    steps, batch = runner.iter, runner.train_dataloader.batch_size
    assert (steps, batch) in ((1, 4), (2, 2), (2, 4))

    # Shapes of each view. Cross-entropy on view 1 alone needs no second.
    views = 2 if method in (*EAC, *PAIRED) and 'noconsistency' not in variants else 1
    consistent = views == 2 and method in EAC and 'plain' not in variants
    # RAN sees five regions too, and classifies features beside their summary.
    seen, parts = (6 * batch, 2) if method == 'ran' else (batch, 1)
    channels = runner.model.head.in_channels // parts
    # EAC-plus makes pairs of the first sample, 30 % of these small batches.
    paired = 1 if method == 'eac_plus' else batch
    counts = [seen, paired][:views] * steps
    assert watch.images == [(count, 3, side, side) for count in counts]
    assert watch.maps == [(count, channels, map_side, map_side) for count in counts]
    maps = (paired, classes, map_side, map_side)
    assert watch.compared == [[maps, maps]] * steps * consistent

    # The losses of each step; the weight is the config's, which other tests hold.
    path_of_log = next(tmp_path.glob('*/vis_data/*.json'))
    log = [json.loads(line) for line in path_of_log.read_text().splitlines()]
    log = [row for row in log if 'loss' in row]
    assert len(log) == steps
    ramp = runner.cfg.default_hooks.get('ramp')
    for step, row in enumerate(log):
        assert math.isfinite(row['loss']) and row['loss'] > 0
        if method not in RIVALS:  # whose losses have names of their own
            assert ('loss_cls' in row) == (method in (*EAC, *PAIRED))
        assert ('loss_consistency' in row) == consistent
        if not consistent:
            parts = [v for k, v in row.items() if k.startswith('loss_')]
            assert row['loss'] == pytest.approx(sum(parts or [row['loss']]))
            continue
        factor = min(1, step / (ramp.epochs * steps)) if ramp else 1
        weight = runner.model.head.consistency_weight * factor
        assert row['loss_consistency'] == pytest.approx(weight * watch.distances[step])
        assert (row['loss_consistency'] > 0) == (weight > 0)
        assert row['loss'] == pytest.approx(row['loss_cls'] + row['loss_consistency'])
    assert all(parameter.isfinite().all() for parameter in runner.model.parameters())
    assert not torch.equal(runner.model.head.fc.weight, watch.first_weight)

    result = json.loads((tmp_path / 'result.json').read_text())
    assert result['finished'] and len(result['epochs']) == 1
    metrics = result['epochs'][0]
    assert metrics['accuracy/top1'] in (0, 50, 100)  # of two images
    assert ('accuracy/top5' in metrics) == (classes >= 100)
    wrong = len(runner.train_dataloader.dataset.wrong_indices)
    assert (wrong > 0) == ('noise/memorised' in metrics) == (noise != 'clean')


def flat(value, name=''):
    """Every leaf of a config under its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat(item, f'{name}.{key}' if name else key)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from flat(item, f'{name}.{i}')
    else:
        yield name, value


def test_recipes_that_are_not_trained_differ_in_noise_and_lambda_alone():
    allowed = {
        'train_dataloader.dataset.kind',
        'train_dataloader.dataset.rate',
        'model.head.consistency_weight',
        'work_dir',
    }
    twins = [path for path in ALL if path not in RECIPES]
    assert len(twins) > 40
    for path in twins:
        trained = path.with_stem(
            re.sub('clean|noise[12]0|annotator', 'noise30', path.stem)
        )
        assert trained in RECIPES
        one, other = (dict(flat(load_config(p).to_dict())) for p in (path, trained))
        missing = object()
        keys = one.keys() | other.keys()
        unlike = {k for k in keys if one.get(k, missing) != other.get(k, missing)}
        assert unlike <= allowed, path
