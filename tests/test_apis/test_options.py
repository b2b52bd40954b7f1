"""What --cfg-options may name, what is refused, and what a recipe is warned of."""

import re
from pathlib import Path

import pytest
from mmengine import Config
from torch import nn

from eac_mm.apis import build_runner, load_config, options
from eac_mm.apis.options import check_options, settle_recipe, warn_of_custom_keys
from eac_mm.experiments import Run, run_all

CONFIGS = Path(__file__).parents[2] / 'configs'
RECIPE = CONFIGS / 'eac/resnet18_syntheticfer_noise30.py'

RIGHT = [
    # at the top level, with or without it in the recipe
    'load_from=weights.pth',
    'resume=True',
    'work_dir=somewhere',
    'log_level=ERROR',
    'launcher=none',
    'experiment_name=mine',
    'custom_hooks=[]',
    'compile=True',
    'sync_bn=torch',
    'find_unused_parameters=True',
    'model_wrapper_cfg.type=MMDistributedDataParallel',
    'log_processor.window_size=1',
    'log_processor.by_epoch=True',
    # in the recipe
    'model.data_preprocessor.to_rgb=False',
    'default_hooks.logger.interval=1',
    'default_hooks.checkpoint=None',
    'default_hooks.ramp.epochs=3',
    'train_dataloader.batch_size=4',
    'train_dataloader.dataset.rate=0.2',
    'train_dataloader.dataset.dataset.size=960',
    'train_dataloader.dataset.dataset.pipeline.0.scale=64',
    'optim_wrapper.optimizer.lr=0.1',
    'visualizer.vis_backends.0.type=TensorboardVisBackend',
    'visualizer.vis_backends.0.save_dir=here',
    'param_scheduler.gamma=0.8',
    'env_cfg.mp_cfg.mp_start_method=spawn',
    'env_cfg.dist_cfg.backend=gloo',
    'auto_scale_lr.base_batch_size=64',
    'randomness.seed=3',
    'val_evaluator.0.topk=1',
    # parameters that the recipe leaves at their defaults
    'model.backbone.depth=50',
    'model.backbone.frozen_stages=1',
    'model.backbone.drop_path_rate=0.1',
    'model.backbone.norm_cfg.type=BN',
    'model.train_cfg.augments.type=Mixup',
    'model.train_cfg.augments.alpha=0.2',
    'model.head.consistency_weight=3',
    'model.head.loss.type=LabelSmoothLoss',
    'model.head.topk=1',
    'model.data_preprocessor.channels_last=False',
    'model.data_preprocessor.num_classes=7',
    'model.init_cfg.checkpoint=a.pth',
    'train_dataloader.drop_last=True',
    'train_dataloader.num_batch_per_epoch=2',
    'train_dataloader.sampler.seed=1',
    'train_dataloader.dataset.noise_file=noise.txt',
    'train_dataloader.dataset.transition.fear=surprise',
    'train_dataloader.dataset.dataset.indices=10',
    'train_dataloader.dataset.dataset.pipeline.2.prob=0.1',
    'train_cfg.val_begin=2',
    'val_cfg.fp16=True',
    'test_cfg.fp16=True',
    'optim_wrapper.accumulative_counts=2',
    'optim_wrapper.clip_grad.max_norm=1',
    'optim_wrapper.constructor=Mine',
    'optim_wrapper.optimizer.betas=0.5',
    'optim_wrapper.paramwise_cfg.norm_decay_mult=0',
    'optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult=0.1',
    'optim_wrapper.paramwise_cfg.custom_keys.head.weight_decay=0',
    'param_scheduler.begin=2',
    'param_scheduler.convert_to_iter_based=True',
    'default_hooks.checkpoint.save_best=auto',
    'default_hooks.checkpoint.save_optimizer=False',
    'default_hooks.checkpoint.priority=LOW',
    'default_hooks.logger.log_metric_by_epoch=False',
    'default_hooks.ema.type=EMAHook',
    'val_evaluator.0.prefix=mine',
    'env_cfg.resource_limit=8192',
    'auto_scale_lr.enable=True',
    'randomness.diff_rank_seed=True',
    # of another type than the recipe's
    'optim_wrapper.optimizer.type=SGD optim_wrapper.optimizer.momentum=0.9',
    'model.backbone.type=MobileNetV2 model.backbone.widen_factor=0.5',
    'param_scheduler.type=StepLR param_scheduler.step_size=5',
    # options that are right only together
    'optim_wrapper.constructor=LearningRateDecayOptimWrapperConstructor '
    'optim_wrapper.paramwise_cfg.layer_decay_rate=0.1',
    'optim_wrapper.paramwise_cfg.layer_decay_rate=0.1 '
    'optim_wrapper.constructor=LearningRateDecayOptimWrapperConstructor',
    'optim_wrapper.optimizer.type=Adagrad '
    'optim_wrapper.paramwise_cfg.custom_keys.head.lr_decay=0.1',
    # what can't be known passes
    'model.backbone.type=TIMMBackbone model.backbone.anything=1',
    'default_hooks.ema.type=EMAHook default_hooks.ema.momentum=0.1',
    'model.backbone.type=NotYetRegistered model.backbone.anything=1',
]
WRONG = [  # the key, and the one that is named
    ('lod_from=x.pth', 'load_from'),
    ('train_dataloder.batch_size=4', 'train_dataloader.batch_size'),
    ('optimizer.lr=0.5', 'optim_wrapper.optimizer.lr'),
    ('optim_wraper.optimizer.lr=0.5', 'optim_wrapper.optimizer.lr'),
    ('lr=0.5', 'optim_wrapper.optimizer.lr'),
    ('depth=50', 'model.backbone.depth'),
    ('seed=1', 'randomness.seed'),
    ('rate=0.1', 'train_dataloader.dataset.rate'),
    ('workdir=here', 'work_dir'),
    ('custom_hook=None', 'custom_hooks'),
    ('data_preprocessor.to_rgb=False', 'model.data_preprocessor.to_rgb'),
    ('model.hed.topk=1', 'model.head.topk'),
    ('model.backbone.dept=50', 'model.backbone.depth'),
    ('model.backbone.frozen_stage=1', 'model.backbone.frozen_stages'),
    ('model.backbone.requires_grad=False', None),
    ('model.head.num_clases=3', 'model.head.num_classes'),
    ('model.head.consistancy_weight=3', 'model.head.consistency_weight'),
    ('model.head.consistency.type=AttentionConsistencyLoss '
     'model.head.consistency.distanse=l2', 'model.head.consistency.distance'),
    ('model.head.loss.type=LabelSmoothLoss model.head.loss.label_smooth=0.1',
     'model.head.loss.label_smooth_val'),
    ('model.data_preprocessor.chanels_last=False',
     'model.data_preprocessor.channels_last'),
    ('train_dataloader.batchsize=4', 'train_dataloader.batch_size'),
    ('train_dataloader.num_worker=0', 'train_dataloader.num_workers'),
    ('train_dataloader.sampler.shufle=False', 'train_dataloader.sampler.shuffle'),
    ('train_dataloader.collate_fn.tpye=a', 'train_dataloader.collate_fn.type'),
    ('train_dataloader.dataset.noisefile=a.txt',
     'train_dataloader.dataset.noise_file'),
    ('train_dataloader.rate=0.2', 'train_dataloader.dataset.rate'),
    ('train_dataloader.dataset.dataset.sise=9',
     'train_dataloader.dataset.dataset.size'),
    ('train_dataloader.dataset.dataset.pipeline.2.probe=1',
     'train_dataloader.dataset.dataset.pipeline.2.prob'),
    ('train_dataloader.dataset.dataset.pipeline.9.prob=1',
     'train_dataloader.dataset.dataset.pipeline.0'),
    ('train_dataloader.dataset.dataset.pipeline.prob=1',
     'train_dataloader.dataset.dataset.pipeline.0'),
    ('optim_wrapper.lr=0.1', 'optim_wrapper.optimizer.lr'),
    ('optim_wrapper.optimizer.weigth_decay=0', 'optim_wrapper.optimizer.weight_decay'),
    ('optim_wrapper.acumulative_counts=2', 'optim_wrapper.accumulative_counts'),
    ('optim_wrapper.paramwise_cfg.norm_decay=0',
     'optim_wrapper.paramwise_cfg.norm_decay_mult'),
    ('optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mul=0.1',
     'optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult'),
    ('param_scheduler.gama=0.8', 'param_scheduler.gamma'),
    ('param_scheduler.0.gamma=0.8', 'param_scheduler.gamma'),
    ('train_cfg.max_epoch=3', 'train_cfg.max_epochs'),
    ('train_cfg.max_iters=3', 'train_cfg.max_epochs'),
    ('val_cfg.fp=True', 'val_cfg.fp16'),
    ('val_evaluator.0.topks=1', 'val_evaluator.0.topk'),
    ('test_evaluator.2.item=recall', 'test_evaluator.2.items'),
    ('default_hooks.loger.interval=1', 'default_hooks.logger.interval'),
    ('default_hooks.chekpoint=None', 'default_hooks.checkpoint'),
    ('default_hooks.checkpoint.max_keep_ckpt=3',
     'default_hooks.checkpoint.max_keep_ckpts'),
    ('default_hooks.ramp.epoch=3', 'default_hooks.ramp.epochs'),
    ('visualizer.vis_backend=None', 'visualizer.vis_backends'),
    ('visualizer.vis_backends.0.savedir=here', 'visualizer.vis_backends.0.save_dir'),
    ('optim_wrapper.paramwise_cfg.custom_keys.head.lr_decay=0.1',
     'optim_wrapper.paramwise_cfg.custom_keys.head.weight_decay'),
    # a key of a value, and a value for a dict
    ('model.backbone.depth.x=5', 'model.backbone.depth=VALUE'),
    ('train_cfg.max_epochs.x=3', 'train_cfg.max_epochs=VALUE'),
    ('work_dir.x.y=3', 'work_dir=VALUE'),
    ('train_dataloader=5', 'train_dataloader.batch_size'),
    ('optim_wrapper=Adam', 'optim_wrapper.type'),
    ('model.backbone=ResNet50', 'model.backbone.type'),
    ('randomness=3', 'randomness.seed'),
    ('default_hooks.checkpoint=False', 'default_hooks.checkpoint.type'),
    # no list in the recipe
    ('custom_hooks.0.interval=3', None),
    ('custom_hooks.0.type=EMAHook', None),
    ('load_from.0=a.pth', None),
    ('model.backbone.init_cfg.0.type=Pretrained', None),
    ('env_cfg.cudnn_benchmrk=True', 'env_cfg.cudnn_benchmark'),
    ('env_cfg.mp_cfg.mp_start=spawn', 'env_cfg.mp_cfg.mp_start_method'),
    ('auto_scale_lr.enabled=True', 'auto_scale_lr.enable'),
    ('randomness.sed=1', 'randomness.seed'),
    ('log_processor.window=1', 'log_processor.window_size'),
]  # fmt: skip


@pytest.fixture(scope='module')
def cfg():
    return load_config(RECIPE)


def given(text):
    """Options as ``--cfg-options`` reads them."""
    pairs = dict(pair.split('=', 1) for pair in text.split())
    values = {'True': True, 'False': False, 'None': None, '[]': []}
    return {key: values.get(value, value) for key, value in pairs.items()}


@pytest.mark.parametrize('text', RIGHT)
def test_right_keys_pass(text, cfg):
    check_options(cfg, given(text))


@pytest.mark.parametrize(('text', 'nearest'), WRONG)
def test_wrong_keys_are_refused_and_the_nearest_is_named(text, nearest, cfg):
    with pytest.raises(ValueError, match='do not fit the config') as error:
        check_options(cfg, given(text))
    (line,) = str(error.value).splitlines()[1:]
    key = text.split()[-1].split('=')[0]
    assert re.match(rf'{re.escape(key)}(=\w+)?: ', line.strip())
    if nearest is not None:
        assert re.search(rf' {re.escape(nearest)}$', line)


def test_all_faults_are_named_at_once(cfg):
    wrong = given('lod_from=x.pth train_dataloder.batch_size=4 optimizer.lr=0.5')
    with pytest.raises(ValueError, match='do not fit the config') as error:
        check_options(cfg, {**wrong, 'load_from': None})
    assert [line.split()[0] for line in str(error.value).splitlines()[1:]] == [
        'lod_from:',
        'train_dataloder.batch_size:',
        'optimizer.lr:',
    ]


def test_dicts_as_values_are_looked_into(cfg):
    check_options(cfg, {'custom_hooks': [dict(type='EMAHook', momentum=0.1)]})
    check_options(cfg, {'model.backbone': dict(_delete_=True, type='LeNet5')})
    wrong = {
        'custom_hooks': [dict(type='EarlyStoppingHook', monitr='accuracy/top1')],
        'model.backbone': dict(_delete_=True, type='MobileNetV2', depth=18),
        'param_scheduler': [dict(type='StepLR', step_size=2, gama=1)],
        'default_hooks': dict(mine=dict(type='ResultHook', lst=5)),
    }
    with pytest.raises(ValueError, match='do not fit the config') as error:
        check_options(cfg, wrong)
    found = [line.split(':')[0].strip() for line in str(error.value).splitlines()[1:]]
    assert found == [
        'custom_hooks.0.monitr',
        'model.backbone.depth',
        'param_scheduler.0.gama',
        'default_hooks.mine.lst',
    ]


@pytest.mark.parametrize('key', ['custom_hooks', 'model.backbone.init_cfg'])
def test_a_position_needs_a_list_in_the_config(key, cfg):
    fix = f'no list {key}, so there is no entry 0. Fix: write {key} = '
    with pytest.raises(ValueError, match=re.escape(fix)):
        check_options(cfg, {f'{key}.0.interval': 3})
    check_options(
        Config(dict(custom_hooks=[dict(type='EMAHook')])),
        {'custom_hooks.0.interval': 3},
    )


def test_names_to_choose_among_begin_with_the_nearest(cfg):
    with pytest.raises(ValueError, match=r'Fix: choose among ') as error:
        check_options(cfg, {'train_cfg.begin_of_it': 3})
    names = str(error.value).rpartition('among ')[2].split(', ')
    assert names[:2] == ['val_begin', 'by_epoch'] and 'max_epochs' in names


def test_a_config_without_an_optimizer(cfg):
    bare = Config(dict(model=dict(type='EACClassifier')))
    check_options(bare, {'optim_wrapper.paramwise_cfg.norm_decay_mult': 0})
    with pytest.raises(ValueError, match='norm_decay_mult$'):
        check_options(bare, {'optim_wrapper.paramwise_cfg.norm_decay_mul': 0})


def test_one_key_as_a_value_and_as_a_dict(cfg):
    with pytest.raises(ValueError, match='another option gives load_from a value'):
        check_options(cfg, {'load_from': 'a.pth', 'load_from.b': 1})


def test_training_refuses_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match='Fix: load_from$'):
        load_config(RECIPE, {'lod_from': 'x.pth'}, work_dir=str(tmp_path / 'run'))
    assert list(tmp_path.iterdir()) == []


def test_what_compare_and_reproduce_pass_on_is_checked(tmp_path):
    run = Run(str(RECIPE), 0, tmp_path / 'run', ('model.head.num_clases=3',))
    with pytest.raises(ValueError, match=r'Fix: model\.head\.num_classes$'):
        run_all([run], tmp_path / 'train.py')
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def warnings(monkeypatch):
    said = []
    monkeypatch.setattr(options, 'print_log', lambda message, *_: said.append(message))
    return said


def test_a_variable_of_the_recipe_changes_nothing_and_that_is_said(cfg, warnings):
    check_options(cfg, {'num_classes': 8, 'load_from': 'a.pth'})
    assert len(warnings) == 1 and 'num_classes' in warnings[0]


def test_no_recipe_is_warned_of(warnings):
    for path in CONFIGS.glob('[!_]*/*.py'):
        settle_recipe(Config.fromfile(path))
        assert warnings == [], path


def write(folder, text):
    path = folder / 'mine.py'
    path.write_text(f'_base_ = {str(RECIPE)!r}\n{text}\n')
    return path


@pytest.mark.parametrize(
    ('text', 'key', 'nearest'),
    [
        ('custom_hoks = []', 'custom_hoks', 'custom_hooks'),
        ('tune_model = 1\nlog_procesor = dict()', 'log_procesor', 'log_processor'),
        ('auto_scale_lr = dict(enabel=True)', 'auto_scale_lr.enabel', 'enable'),
        ('env_cfg = dict(cudnn_bench=True)', 'env_cfg.cudnn_bench', 'cudnn_benchmark'),
        (
            'optim_wrapper = dict(paramwise_cfg=dict(norm_decay=0))',
            'optim_wrapper.paramwise_cfg.norm_decay',
            'norm_decay_mult',
        ),
    ],
)
def test_typos_of_a_recipe_are_warned_of(text, key, nearest, tmp_path, warnings):
    load_config(write(tmp_path, text))
    assert len(warnings) == 1
    assert warnings[0].startswith(f'{key}: ') and warnings[0].endswith(f' {nearest}')


def test_other_variables_of_a_recipe_are_legitimate(tmp_path, warnings):
    load_config(write(tmp_path, 'faces = 1\nmy_pipeline = []\nrates = dict(a=1)'))
    assert warnings == []


def test_a_typo_beside_the_right_name_is_a_variable_of_its_own(tmp_path, warnings):
    load_config(
        write(tmp_path, 'val_dataloaders = []')
    )  # the recipe has val_dataloader
    assert warnings == []


def test_the_preprocessor_of_the_data_set_is_the_models(tmp_path):
    path = write(tmp_path, 'data_preprocessor = dict(to_rgb=False)')
    cfg = load_config(path, {'model.data_preprocessor.channels_last': False})
    assert 'data_preprocessor' not in cfg
    assert cfg.model.data_preprocessor == dict(
        type='EACDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=False,
        channels_last=False,
    )


def test_part_of_a_preprocessor_in_the_model_is_refused(tmp_path):
    path = write(tmp_path, 'model = dict(data_preprocessor=dict(to_rgb=False))')
    with pytest.raises(ValueError, match='replaces the first as a whole'):
        load_config(path)


def test_a_whole_preprocessor_in_the_model_stays(tmp_path):
    own = "model = dict(data_preprocessor=dict(type='ClsDataPreprocessor'))"
    cfg = load_config(write(tmp_path, own))
    assert cfg.model.data_preprocessor == dict(type='ClsDataPreprocessor')


def test_custom_keys_that_match_no_parameter(warnings, tmp_path):
    keys = {'backbone.layer1': {}, 'fc': {}, 'backbon.': {}, 'layer5': {}}
    paramwise = {'optim_wrapper.paramwise_cfg.custom_keys': keys}
    cfg = load_config(RECIPE, {**paramwise, 'model.head.in_channels': 128})
    cfg.work_dir = str(tmp_path)
    cfg.log_level = 'ERROR'
    build_runner(cfg)
    assert [re.search("'(.*?)'", text)[1] for text in warnings] == [
        'backbon.',
        'layer5',
    ]
    assert warnings[0].endswith('Fix: backbone')


def test_a_model_without_custom_keys_is_not_looked_at(warnings):
    warn_of_custom_keys(Config(dict(optim_wrapper=dict())), nn.Linear(1, 1))
    warn_of_custom_keys(Config(dict()), nn.Linear(1, 1))
    assert warnings == []
