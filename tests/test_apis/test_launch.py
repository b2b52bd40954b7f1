import os
import pickle
import re
from pathlib import Path

import pytest
import torch
from forked import Script
from mmengine import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from safetensors.torch import save_file

from eac_mm.apis import build_runner, load_config, resume
from eac_mm.apis.launch import vet_checkpoint

RECIPE = 'configs/eac/resnet18_rafdb_noise30.py'


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)


def test_defaults():
    cfg = load_config(RECIPE)
    assert cfg.work_dir == 'work_dirs/eac/resnet18_rafdb_noise30'
    assert cfg.randomness.seed == 0
    assert cfg.launcher == 'none'
    assert cfg.train_dataloader.pin_memory == torch.cuda.is_available()
    assert cfg.train_dataloader.persistent_workers


def test_no_two_recipes_share_a_work_dir(monkeypatch, tmp_path):
    recipes = list(Path('configs').glob('*/resnet18_rafdb_noise30.py'))
    folders = {load_config(path).work_dir for path in recipes}
    assert len(folders) == len(recipes) >= 2
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'recipe.py').write_text('model = dict()')
    monkeypatch.chdir(tmp_path / 'mine')
    assert load_config('recipe.py').work_dir == 'work_dirs/mine/recipe'


def test_the_command_line_wins():
    options = {'train_dataloader.num_workers': 0, 'work_dir': 'x', 'custom_hooks': []}
    cfg = load_config(RECIPE, options, work_dir='y', seed=7)
    assert cfg.work_dir == 'y'
    assert cfg.randomness == dict(seed=7, deterministic=False)
    # torch refuses persistent workers where there are none
    assert not cfg.train_dataloader.persistent_workers
    assert cfg.val_dataloader.persistent_workers
    assert load_config(RECIPE, options).work_dir == 'x'


def test_images_on_the_device_need_no_workers():
    cfg = load_config(RECIPE, cache='device')
    assert cfg.train_dataloader.dataset.type == 'DeviceCache'
    assert cfg.train_dataloader.dataset.dataset.type == 'NoisyLabels'
    assert cfg.train_dataloader.collate_fn == dict(type='ready_batch')
    assert not cfg.train_dataloader.pin_memory
    assert cfg.train_dataloader.num_workers == 0
    assert not cfg.train_dataloader.persistent_workers
    assert cfg.val_dataloader.num_workers == 4
    cfg = load_config(RECIPE, cache='ram')
    assert cfg.train_dataloader.num_workers == 4
    assert cfg.train_dataloader.dataset.type == 'RAMCache'


def test_the_cache_stays_in_the_config(tmp_path):
    """Options count from the recipe's data set; a dumped config has the cache."""
    options = {'train_dataloader.dataset.rate': 0.4}
    cfg = load_config(RECIPE, options, cache='device')
    assert cfg.train_dataloader.dataset.dataset.rate == 0.4
    cfg.dump(tmp_path / 'dumped.py')
    again = load_config(tmp_path / 'dumped.py')
    assert again.train_dataloader == cfg.train_dataloader
    plain = load_config(tmp_path / 'dumped.py', cache='none')
    assert plain.train_dataloader.dataset == cfg.train_dataloader.dataset.dataset


def test_amp_is_bfloat16():
    cfg = load_config(RECIPE, amp=True)
    assert cfg.optim_wrapper.type == 'BFloat16OptimWrapper'


def test_errors():
    with pytest.raises(FileNotFoundError, match='configs/eac/none.py does not exist'):
        load_config('configs/eac/none.py')
    with pytest.raises(ValueError, match='seed -1'):
        load_config(RECIPE, seed=-1)


def test_a_cache_needs_training_images(tmp_path):
    recipe = tmp_path / 'testing.py'
    recipe.write_text("model = dict(type='EACClassifier')\n")
    with pytest.raises(ValueError, match=r"cache='ram'.*no train_dataloader\. Fix: "):
        load_config(recipe, cache='ram')


def test_resume_without_a_checkpoint_keeps_load_from(tmp_path):
    cfg = load_config(RECIPE, {'load_from': 'weights.pth'}, work_dir=str(tmp_path))
    resume(cfg)
    assert (cfg.resume, cfg.load_from) == (False, 'weights.pth')
    torch.save(dict(state_dict={}), tmp_path / 'epoch_3.pth')
    resume(cfg)
    assert (cfg.resume, cfg.load_from) == (True, str(tmp_path / 'epoch_3.pth'))


def test_load_from_must_exist(tmp_path):
    cfg = load_config(RECIPE, {'load_from': 'typo.pth'}, work_dir=str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"load_from='typo.pth' does not exist"):
        build_runner(cfg)


def old_format(path):
    torch.save(dict(state_dict={}), path, _use_new_zipfile_serialization=False)


def safetensors(path):
    save_file(dict(w=torch.ones(2)), path)


@pytest.mark.parametrize(
    ('write', 'message'),
    [
        (
            safetensors,
            'is a safetensors file. Fix: python tools/model_conv.*convert',
        ),
        (
            lambda path: path.write_text('epoch_3.pth'),
            "is no checkpoint: it begins with b'epoch_3.pth'. Fix: name a file of",
        ),
        (lambda path: path.write_bytes(b'<html><body>'), "begins with b'<html><body>'"),
    ],
)
def test_files_that_are_no_checkpoints(tmp_path, write, message):
    path = tmp_path / 'a.pth'
    write(path)
    cfg = load_config(RECIPE, work_dir=str(tmp_path))
    with pytest.raises(ValueError, match=message):
        resume(cfg, str(path))
    cfg.load_from = str(path)
    with pytest.raises(ValueError, match=message):
        build_runner(cfg)


def test_the_format_before_pytorch_1_6_is_no_damage(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    old_format(path)
    cfg = load_config(RECIPE, work_dir=str(tmp_path))
    for name in (str(path), 'auto'):
        cfg.resume, cfg.load_from = False, None
        resume(cfg, name)
        assert (cfg.resume, cfg.load_from) == (True, str(path))


@pytest.mark.parametrize('below', ['', 'run'])
def test_a_work_dir_that_is_a_file(tmp_path, below):
    (tmp_path / 'mine').write_text('mine')
    with pytest.raises(ValueError, match=f'{tmp_path}/mine is a file. Fix: name a fol'):
        load_config(RECIPE, work_dir=str(tmp_path / 'mine' / below))


def test_amp_leaves_another_preprocessor_alone(tmp_path):
    recipe = tmp_path / 'plain.py'
    recipe.write_text(
        "model = dict(data_preprocessor=dict(type='ClsDataPreprocessor'))\n"
        "optim_wrapper = dict(type='OptimWrapper')\n"
    )
    cfg = load_config(recipe, amp=True)
    assert cfg.optim_wrapper.type == 'BFloat16OptimWrapper'
    assert cfg.model.data_preprocessor == dict(type='ClsDataPreprocessor')


@pytest.mark.parametrize('new_format', [True, False])
def test_plain_checkpoints_of_both_formats_pass(tmp_path, new_format):
    path = tmp_path / 'a.pth'
    weights = dict(state_dict=dict(w=torch.ones(3)))
    torch.save(weights, path, _use_new_zipfile_serialization=new_format)
    vet_checkpoint(path)


ALONE = """
import ctypes, json, os, torch
from eac_mm.apis import build_runner, load_config
before = dict(os.environ)
calls = []
ctypes.CDLL = lambda name: calls.append(name)
loader = {f'{kind}_dataloader.num_workers': 0 for kind in ('train', 'val', 'test')}
options = {**loader, 'train_dataloader.dataset.dataset.size': 16}
cfg = load_config('configs/eac/resnet18_syntheticfer_noise30.py', options, WORK_DIR)
runner = build_runner(cfg)
print('changed', sorted(set(os.environ.items()) ^ set(before.items())), calls)
"""


def test_a_library_call_leaves_the_process_alone(tmp_path):
    script = tmp_path / 'alone.py'
    script.write_text(ALONE.replace('WORK_DIR', repr(str(tmp_path))))
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    output, _ = Script([script], environment).communicate()
    assert 'changed [] []' in output, output[-2000:]


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


@MODELS.register_module(force=True)
class Nothing(BaseModel):
    """The smallest model."""

    def forward(self, inputs):
        return inputs


@pytest.fixture
def library_runner(tmp_path, monkeypatch):
    """A runner of the library's, under a PyTorch that unpickles anything."""
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')  # as before 2.6

    def make(trust=False, **changes):
        cfg = Config(
            dict(
                work_dir=str(tmp_path / 'run'),
                model=dict(type='Nothing', **changes),
                custom_imports=dict(imports=['eac_mm']),
                default_scope='mmpretrain',
            )
        )
        return build_runner(cfg, trust)

    return make


@pytest.mark.parametrize('trust', [False, True])
@pytest.mark.parametrize('way', ['load_checkpoint', 'init_cfg'])
def test_hostile_files_run_nothing_whatever_torch_does(
    tmp_path, library_runner, trust, way
):
    trap, path = tmp_path / 'trap', tmp_path / 'a.pth'
    torch.save(dict(state_dict={}, x=Trap(trap)), path)
    init_cfg = dict(type='Pretrained', checkpoint=str(path))
    runner = library_runner(trust, **(dict(init_cfg=init_cfg) if way[0] == 'i' else {}))
    load = (
        runner._init_model_weights
        if way == 'init_cfg'
        else lambda: runner.load_checkpoint(str(path))
    )
    if trust:
        load()
    else:
        with pytest.raises(pickle.UnpicklingError):
            load()
    assert trap.exists() == trust
    assert os.environ['TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'] == '1'
    assert 'TORCH_FORCE_WEIGHTS_ONLY_LOAD' not in os.environ


def test_the_nearest_recipe_is_named(tmp_path):
    for name in ('resnet18_rafdb_noise30.py', 'mobilenetv2_rafdb_clean.py'):
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match=r'such as .*/resnet18_rafdb_noise30'):
        load_config(tmp_path / 'resnet18_rafdb_noise3.py')
    with pytest.raises(FileNotFoundError, match='such as configs/eac/resnet18_rafdb'):
        load_config(tmp_path / 'nowhere' / 'resnet18_rafdb_noise30.py')
    for name in ('dume/resnet18_syntheticfer_noise30', 'configs/dmu/resnet18_rafdb.py'):
        with pytest.raises(FileNotFoundError, match=r'such as dmue/resnet18_\w+\.$'):
            load_config(name)


def test_a_config_without_randomness_takes_the_seed(tmp_path):
    path = tmp_path / 'recipe.py'
    path.write_text('model = dict(type="A")\n')
    assert load_config(path, seed=3).randomness == dict(seed=3)
    path.write_text('randomness = dict(seed=1, deterministic=True)\n')
    expected = dict(seed=3, deterministic=True)
    assert load_config(path, seed=3).randomness == expected


def test_a_base_that_is_not_there_is_named(tmp_path):
    base, path = tmp_path / 'base.py', tmp_path / 'mine.py'
    path.write_text("_base_ = 'base.py'\n")
    base.write_text("_base_ = './gone.py'\n")
    gone = re.escape(str(tmp_path.resolve() / 'gone.py'))
    with pytest.raises(FileNotFoundError, match=rf'mine\.py needs {gone}, .* Fix: '):
        load_config(path)


def test_options_open_what_the_recipe_leaves_none(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text('model = dict(neck=None)\nval_evaluator = [dict(ann=None)]\n')
    neck = ['model.neck.type=GlobalAveragePooling', 'model.neck.dim=2']
    assert load_config(path, neck).model.neck == dict(
        type='GlobalAveragePooling', dim=2
    )
    assert load_config(path).model.neck is None
    found = load_config(path, ['val_evaluator.0.ann.items=[recall]'])
    assert found.val_evaluator == [dict(ann=dict(items=['recall']))]


def test_a_recipe_needs_a_model(tmp_path):
    cfg = load_config(RECIPE, work_dir=str(tmp_path))
    cfg.model = None
    with pytest.raises(ValueError, match='rafdb_noise30.py has no model. Fix:'):
        build_runner(cfg)
