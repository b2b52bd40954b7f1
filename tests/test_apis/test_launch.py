from pathlib import Path

import pytest
import torch

from eac_mm.apis import build_runner, launch, load_config, resume
from eac_mm.apis.launch import vet_checkpoint
from eac_mm.utils import hardware

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
    recipes = list(Path('configs').glob('*/*.py'))
    recipes = [path for path in recipes if path.parent.parent.name == 'configs']
    folders = {load_config(path).work_dir for path in recipes}
    assert len(recipes) > 80
    assert len(folders) == len(recipes)
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
    options = {'train_dataloader.dataset.cache': 'device'}
    cfg = load_config(RECIPE, options)
    assert cfg.train_dataloader.num_workers == 0
    assert not cfg.train_dataloader.persistent_workers
    assert cfg.val_dataloader.num_workers == 4
    options = {'train_dataloader.dataset.cache': 'ram'}
    assert load_config(RECIPE, options).train_dataloader.num_workers == 4


def test_amp_is_bfloat16():
    cfg = load_config(RECIPE, amp=True)
    assert cfg.optim_wrapper.type == 'BFloat16OptimWrapper'


def test_errors():
    with pytest.raises(FileNotFoundError, match='configs/eac/none.py does not exist'):
        load_config('configs/eac/none.py')
    with pytest.raises(ValueError, match='seed -1'):
        load_config(RECIPE, seed=-1)


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


@pytest.mark.parametrize('gpu', [False, True])
def test_freed_memory_is_kept_without_a_gpu(gpu, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    monkeypatch.setattr(hardware, 'keep_freed_memory', lambda: calls.append(1))
    monkeypatch.setattr(launch.Runner, 'from_cfg', lambda cfg: 'a runner')
    assert build_runner(load_config(RECIPE, work_dir=str(tmp_path))) == 'a runner'
    assert len(calls) == (not gpu)
