import importlib
import os
import subprocess
import sys

import pytest

from eac_mm.utils import compat


def pretend(monkeypatch, **versions):
    """Let only these distributions seem to be installed, dashes as underscores."""
    monkeypatch.setattr(
        compat, '_installed', lambda name: versions.get(name.replace('-', '_'))
    )


def test_mmcv_is_there_once(monkeypatch):
    pretend(monkeypatch, mmcv='2.1.0')
    compat.check_mmcv()
    pretend(monkeypatch, mmcv_lite='2.2.0')
    compat.check_mmcv()
    pretend(monkeypatch)
    with pytest.raises(ImportError, match='pip install "mmcv-lite'):
        compat.check_mmcv()
    pretend(monkeypatch, mmcv='2.1.0', mmcv_lite='2.2.0')
    with pytest.raises(ImportError, match='overwrite each other.*pip uninstall'):
        compat.check_mmcv()


GOOD = dict(torch='2.13.0+cpu', mmengine='0.10.7', mmpretrain='1.2.0')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(torch='1.13.1'), r'torch>=2.4,<3; found 1.13.1'),
        (dict(mmengine='0.9.0'), r'mmengine>=0.10.5,<0.11; found 0.9.0'),
        (dict(mmcv_lite='1.7.0'), r'mmcv>=2.0.0,<2.4.0; found 1.7.0'),
        (dict(mmpretrain=None), r'needs mmpretrain.*found none'),
    ],
)
def test_versions_out_of_range(monkeypatch, change, message):
    good = dict(GOOD, mmcv_lite='2.2.0')
    pretend(monkeypatch, **good)
    compat.check_versions()
    pretend(monkeypatch, **{**good, **change})
    with pytest.raises(ImportError, match=message):
        compat.check_versions()


def test_missing_system_library(monkeypatch):
    def refuse(name):
        raise ImportError('libGL.so.1: cannot open shared object file')

    monkeypatch.setattr(importlib, 'import_module', refuse)
    with pytest.raises(ImportError, match=r'libGL.so.1.*install libgl1'):
        compat.check_opencv()


def test_a_torchvision_that_works_is_left_alone(monkeypatch):
    import torchvision

    import_module = importlib.import_module
    seen = []
    monkeypatch.setattr(
        importlib, 'import_module', lambda n: seen.append(n) or import_module(n)
    )
    compat.define_torchvision_operators()
    assert seen == ['torchvision']
    assert sys.modules['torchvision'] is torchvision


def test_mmpretrain_can_be_imported_after_the_package():
    code = 'import eac_mm, mmpretrain.datasets, mmpretrain.models; print("fine")'
    done = subprocess.run(
        [sys.executable, '-W', 'error::UserWarning:mmcv', '-c', code],
        capture_output=True,
        text=True,
    )
    assert done.stdout == 'fine\n', done.stderr


def test_init_cpu_distributed_does_nothing_alone():
    cfg = dict(launcher='none', env_cfg=dict(dist_cfg=dict(backend='nccl')))
    compat.init_cpu_distributed(cfg)
    assert cfg == dict(launcher='none', env_cfg=dict(dist_cfg=dict(backend='nccl')))


def test_slurm_without_gpus_is_an_error(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    with pytest.raises(ValueError, match=r"launcher 'slurm' needs GPUs.*dist_train"):
        compat.init_cpu_distributed(dict(launcher='slurm'))


@pytest.mark.parametrize('force', [False, True])
@pytest.mark.parametrize('before', [None, '1'])
def test_weights_only_leaves_the_environment_as_it_was(monkeypatch, force, before):
    names = ('TORCH_FORCE_WEIGHTS_ONLY_LOAD', 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD')
    for name in names:
        monkeypatch.delenv(name, raising=False)
    if before:
        monkeypatch.setenv(names[1], before)
    with pytest.raises(KeyError), compat.weights_only(force):
        assert [os.environ.get(name) for name in names] == (
            ['1', None] if force else [None, '1']
        )
        raise KeyError
    assert [os.environ.get(name) for name in names] == [None, before]
