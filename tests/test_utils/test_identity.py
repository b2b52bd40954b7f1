import copy
import json
from pathlib import Path

import pytest
import torch

from eac_mm.apis import load_config
from eac_mm.utils.identity import (
    compare,
    describe_settings,
    first_weights,
    refuse_other_run,
    with_schedule_of,
)

RECIPE = 'configs/eac/resnet18_rafdb_noise30.py'
DATA = 'train_dataloader.dataset'

# One option each, and the line that names it.
CHANGES = {
    'model.head.consistency_weight': (3.0, 'not set -> 3.0'),
    'model.head.num_classes': (8, '7 -> 8'),
    'model.backbone.depth': (34, '18 -> 34'),
    'model.backbone.drop_path_rate': (0.1, 'not set -> 0.1'),
    'model.train_cfg': (dict(augments=[dict(type='Mixup')]), 'not set -> '),
    f'{DATA}.rate': (0.2, '0.3 -> 0.2'),
    f'{DATA}.seed': (1, '0 -> 1'),
    f'{DATA}.kind': ('asymmetric', 'symmetric -> asymmetric'),
    f'{DATA}.dataset.split': ('test', 'train -> test'),
    f'{DATA}.dataset.on_bad_image': ('skip', 'not set -> skip'),
    f'{DATA}.dataset.pipeline.1.scale': ((112, 112), '[224, 224] -> [112, 112]'),
    f'{DATA}.dataset.pipeline.3.erasing': ('view1', 'shared -> view1'),
    f'{DATA}.dataset.indices': (100, 'not set -> 100'),
    'train_dataloader.sampler.shuffle': (False, 'True -> False'),
    'train_dataloader.drop_last': (True, 'not set -> True'),
    'val_dataloader.dataset.split': ('train', 'test -> train'),
    'optim_wrapper.type': (
        'BFloat16OptimWrapper',
        'OptimWrapper -> BFloat16OptimWrapper',
    ),
    'optim_wrapper.optimizer.type': ('SGD', 'Adam -> SGD'),
    'optim_wrapper.optimizer.weight_decay': (0.01, '0.0001 -> 0.01'),
    'optim_wrapper.accumulative_counts': (2, 'not set -> 2'),
    'optim_wrapper.clip_grad': (dict(max_norm=1), "not set -> {'max_norm': 1}"),
    'default_hooks.ramp': (dict(type='ConsistencyRampHook', epochs=3), 'not set -> '),
    'custom_hooks': ([dict(type='EMAHook')], "[] -> ['EMAHook']"),
    'sync_bn': ('torch', 'not set -> torch'),
}
HARMLESS = {
    'work_dir': 'elsewhere',
    'launcher': 'pytorch',
    'load_from': 'epoch_3.pth',
    'resume': True,
    'device': 'cuda',
    'log_level': 'DEBUG',
    'experiment_name': 'x',
    'visualizer.vis_backends': [],
    'log_processor': dict(window_size=5),
    'env_cfg.cudnn_benchmark': False,
    'randomness.deterministic': True,
    'test_dataloader.batch_size': 1,
    'test_evaluator': [dict(type='Accuracy')],
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'train_dataloader.pin_memory': True,
    'train_dataloader.prefetch_factor': 4,
    'val_dataloader.batch_size': 7,
    'val_dataloader.num_workers': 0,
    f'{DATA}.dataset.data_root': '/mnt/rafdb',
    f'{DATA}.dataset.ann_file': 'list.txt',
    f'{DATA}.annotators': ['moved.txt'],
    'val_dataloader.dataset.data_root': '/mnt/rafdb',
    'train_cfg.max_epochs': 80,
    'auto_scale_lr.base_batch_size': 64,
    'optim_wrapper.optimizer.fused': False,
    'default_hooks.logger.interval': 1,
    'default_hooks.checkpoint.max_keep_ckpts': 5,
    'default_hooks.visualization': dict(type='VisualizationHook'),
    'default_hooks.result.last': 10,
    'train_pipeline': [],
    'train_cfg.val_interval': 2,
    'train_cfg.val_begin': 3,
    'val_evaluator.0.topk': (1, 5),
    'val_evaluator': [dict(type='Accuracy'), dict(type='SingleLabelMetric')],
    'model.data_preprocessor.channels_last': False,
    'custom_hooks': [dict(type='eac_mm.MemorisationHook', interval=5)],
}
SCHEDULE = {
    'param_scheduler.gamma': (0.5, '0.9 -> 0.5'),
    'param_scheduler': (
        [dict(type='LinearLR'), dict(type='CosineAnnealingLR')],
        "-> ['LinearLR', 'CosineAnnealingLR']",
    ),
    'optim_wrapper.optimizer.lr': (0.5, '0.0002 -> 0.5'),
    'auto_scale_lr.enable': (True, 'not set -> '),
}


@pytest.fixture(scope='module')
def recipe(pytestconfig):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pytestconfig.rootpath)
        return load_config(RECIPE)


def changed(recipe, key, value):
    cfg = copy.deepcopy(recipe)
    cfg.merge_from_dict({key: value})
    return cfg


def differences(one, other):
    # As it comes back from a checkpoint or a result.
    then = json.loads(json.dumps(describe_settings(one.to_dict())))
    return compare(then, describe_settings(other.to_dict()))


@pytest.mark.parametrize('key', CHANGES)
def test_what_changes_the_result_is_named(recipe, key):
    value, line = CHANGES[key]
    found = differences(recipe, changed(recipe, key, value))
    assert not found.schedule
    assert len(found.result) == 1, found.result
    assert found.result[0].startswith(f'{key}: ')
    assert line in found.result[0]


@pytest.mark.parametrize('key', HARMLESS)
def test_what_does_not_change_the_result_passes(recipe, key):
    pair = recipe, changed(recipe, key, HARMLESS[key])
    assert differences(*pair) == ([], [])
    assert differences(*reversed(pair)) == ([], [])


@pytest.mark.parametrize('key', SCHEDULE)
def test_a_changed_schedule_is_told_apart(recipe, key):
    value, line = SCHEDULE[key]
    other = changed(recipe, key, value)
    found = differences(recipe, other)
    assert not found.result
    assert len(found.schedule) == 1, found.schedule
    assert line in found.schedule[0]
    then, now = (describe_settings(cfg.to_dict()) for cfg in (recipe, other))
    assert compare(then, with_schedule_of(then, now)) == ([], [])
    assert with_schedule_of(then, now)['seed'] == now['seed']


def test_the_recipes_of_one_backbone_are_all_different_runs(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    paths = sorted(Path('configs').glob('*/resnet18_rafdb_noise30*.py'))
    settings = [describe_settings(load_config(path).to_dict()) for path in paths]
    assert len(settings) > 8
    for i, one in enumerate(settings):
        for j, other in enumerate(settings):
            assert bool(compare(one, other).result) == (i != j), (paths[i], paths[j])


def test_seed_and_the_batch_of_all_processes(recipe):
    cfg = recipe.to_dict()
    then = describe_settings(cfg)
    assert (then['seed'], then['batch_size']) == (0, 32)
    assert compare(then, describe_settings(cfg, 2)).result == ['batch_size: 32 -> 64']
    half = changed(recipe, 'train_dataloader.batch_size', 16).to_dict()
    assert compare(then, describe_settings(half, 2)) == ([], [])
    assert compare(then, describe_settings(half)).result == ['batch_size: 32 -> 16']
    assert compare(then, describe_settings(cfg, seed=7)).result == ['seed: 0 -> 7']
    assert compare(then, {**then, 'seed': None}) == ([], [])


def test_a_run_may_start_or_end_to_validate(recipe):
    cfg = copy.deepcopy(recipe)
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    then, now = (describe_settings(c.to_dict()) for c in (recipe, cfg))
    then['data'] = dict(train=dict(samples=3), val=dict(samples=2))
    now['data'] = dict(train=dict(samples=3))
    assert compare(then, now) == compare(now, then) == ([], [])
    now['data']['train']['samples'] = 4
    assert compare(then, now).result == ['data.train.samples: 3 -> 4']


def test_a_cache_in_ram_is_no_other_run(recipe):
    inner = recipe.train_dataloader.dataset
    cfg = copy.deepcopy(recipe)
    cfg.train_dataloader.dataset = dict(type='RAMCache', dataset=inner)
    assert differences(recipe, cfg) == ([], [])
    cfg.train_dataloader.dataset.type = 'DeviceCache'
    assert differences(recipe, cfg).result


def test_the_scope_of_a_name_makes_no_other_run(recipe):
    cfg = copy.deepcopy(recipe)
    inner = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(type='mmpretrain.RAMCache', dataset=inner)
    cfg.custom_hooks = [dict(type='mmengine.EmptyCacheHook')]
    assert differences(recipe, cfg) == ([], [])


def test_files_of_first_weights_are_left_out(recipe):
    one, other = copy.deepcopy(recipe), copy.deepcopy(recipe)
    for cfg, path in ((one, 'a.pth'), (other, 'b.pth')):
        steps = [dict(type='Normal', layer='Linear'), dict(checkpoint=path)]
        cfg.model.backbone.init_cfg = steps
        cfg.model.init_cfg = dict(type='Pretrained', checkpoint=path)
    assert differences(one, other) == ([], [])
    other.model.backbone.init_cfg[0].layer = 'Conv2d'
    assert len(differences(one, other).result) == 1


def test_other_steps_in_a_pipeline_are_one_line(recipe):
    cfg = copy.deepcopy(recipe)
    del cfg.train_dataloader.dataset.dataset.pipeline[1]
    (line,) = differences(recipe, cfg).result
    assert "['LoadFace', 'Resize', " in line
    assert "-> ['LoadFace', 'SeedAugmentation', " in line


def test_an_identity_is_made_of_plain_values(recipe, tmp_path):
    cfg = changed(recipe, 'model.backbone.norm_cfg', dict(type=torch.nn.BatchNorm2d))
    identity = describe_settings(cfg.to_dict())
    assert identity['settings']['model']['backbone']['norm_cfg'] == {
        'type': 'BatchNorm2d'
    }
    torch.save(identity, tmp_path / 'a.pth')
    assert torch.load(tmp_path / 'a.pth', weights_only=True) == identity


def test_a_refusal_names_everything(recipe):
    cfg = changed(recipe, 'train_dataloader.dataset.rate', 0.1)
    cfg.merge_from_dict({'model.head.consistency_weight': 1, 'seed': 3})
    then = describe_settings(recipe.to_dict())
    now = describe_settings(cfg.to_dict(), seed=4)
    with pytest.raises(ValueError, match='a.pth belongs to another run') as error:
        refuse_other_run(then, now, 'a.pth')
    lines = str(error.value).splitlines()
    assert lines[1:-1] == [
        '  model.head.consistency_weight: not set -> 1',
        '  train_dataloader.dataset.rate: 0.3 -> 0.1',
        '  seed: 0 -> 4',
    ]
    assert lines[-1].startswith('Fix: ')


def test_first_weights_are_named_without_folders():
    pretrained = dict(type='Pretrained', checkpoint='/mnt/b.pth', prefix='backbone.')
    model = dict(
        backbone=dict(init_cfg=[pretrained, dict(type='Kaiming')]),
        neck=dict(init_cfg=None),
        head=dict(init_cfg=dict(type='Pretrained', checkpoint='b.pth')),
    )
    assert first_weights(dict(model=model)) == ['b.pth']
    assert first_weights(dict(model=model, load_from='w/a.pth')) == ['a.pth', 'b.pth']
    assert first_weights(dict(load_from=None)) == []
