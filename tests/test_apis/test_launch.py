import pytest
import torch

from eac_mm.apis import load_config

RECIPE = 'configs/eac/resnet18_rafdb_noise30.py'


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)


def test_defaults():
    cfg = load_config(RECIPE)
    assert cfg.work_dir == 'work_dirs/resnet18_rafdb_noise30'
    assert cfg.randomness.seed == 0
    assert cfg.launcher == 'none'
    assert cfg.train_dataloader.pin_memory == torch.cuda.is_available()
    assert cfg.train_dataloader.persistent_workers


def test_the_command_line_wins():
    options = {'train_dataloader.num_workers': 0, 'work_dir': 'x', 'custom_hooks': []}
    cfg = load_config(RECIPE, options, work_dir='y', seed=7)
    assert cfg.work_dir == 'y'
    assert cfg.randomness == dict(seed=7, deterministic=False)
    # torch refuses persistent workers where there are none
    assert not cfg.train_dataloader.persistent_workers
    assert cfg.val_dataloader.persistent_workers
    assert load_config(RECIPE, options).work_dir == 'x'


def test_amp_is_bfloat16_and_channels_last():
    cfg = load_config(RECIPE, amp=True)
    assert cfg.optim_wrapper.type == 'BFloat16OptimWrapper'
    assert cfg.model.data_preprocessor.channels_last


def test_errors():
    with pytest.raises(FileNotFoundError, match='configs/eac/none.py does not exist'):
        load_config('configs/eac/none.py')
    with pytest.raises(ValueError, match='seed -1'):
        load_config(RECIPE, seed=-1)
