"""Files that are cut, hostile or cannot be written."""

import json
import pickle
import shutil
import subprocess

import pytest
import torch

from .conftest import Run, assert_same


@pytest.fixture(scope='module')
def interrupted(tmp_path_factory):
    """A run killed after its fourth epoch."""
    run = Run(tmp_path_factory.mktemp('interrupted') / 'run')
    run.start()
    run.wait_for('Epoch(train) [5][1/6]')
    run.kill()
    assert {p.name for p in run.work_dir.glob('*.pth')} == {
        'epoch_3.pth',
        'epoch_4.pth',
    }
    return run


def test_a_damaged_newest_checkpoint_is_passed_over(
    tmp_path, interrupted, uninterrupted
):
    work_dir = tmp_path / 'run'
    shutil.copytree(interrupted.work_dir, work_dir)
    newest = work_dir / 'epoch_4.pth'
    newest.write_bytes(newest.read_bytes()[:-1000])
    run = Run(work_dir)
    run.start('--resume')
    output = run.finish()
    assert f'{newest} is passed over: it is damaged' in output
    assert 'resumed epoch: 3, iter: 18' in output
    assert_same(run, uninterrupted)


def test_no_whole_checkpoint_is_a_new_run(tmp_path, uninterrupted):
    work_dir = tmp_path / 'run'
    work_dir.mkdir()
    (work_dir / 'epoch_4.pth').write_bytes(b'')
    run = Run(work_dir)
    run.start('--resume')
    assert f'no checkpoint in {work_dir}: a new run' in run.finish()
    assert_same(run, uninterrupted)


def test_a_damaged_checkpoint_by_name_is_an_error(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    path.write_bytes(b'PK\x03\x04 and no more')
    run = Run(tmp_path / 'run')
    run.start('--resume', str(path))
    assert 'epoch_1.pth: the file is damaged' in run.finish()
    assert run.process.returncode != 0
    run.start('--resume', str(tmp_path / 'none.pth'))
    assert 'none.pth: no such file' in run.finish()


class Hostile:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


@pytest.mark.parametrize('words', [['--resume', 'X'], ['load_from=X']])
def test_a_hostile_checkpoint_is_refused(tmp_path, words):
    trap, path = tmp_path / 'trap', tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict={}, meta=dict(epoch=1), x=Hostile(trap)), path)
    options = {}
    if words[0] == '--resume':
        words = ['--resume', str(path)]
    else:
        words, options = [], {'load_from': str(path)}
    run = Run(tmp_path / 'run', **options)
    run.start(*words)
    output = run.finish()
    assert run.process.returncode != 0
    assert f'{path} is refused' in output
    assert '--trust-checkpoint' in output
    assert not trap.exists()


def test_trust_is_the_only_way_round(tmp_path, monkeypatch):
    from eac_mm.apis.launch import vet_checkpoint

    trap, path = tmp_path / 'trap', tmp_path / 'epoch_1.pth'
    torch.save(dict(x=Hostile(trap)), path)
    with pytest.raises(ValueError, match='is refused.*run code.*--trust-checkpoint'):
        vet_checkpoint(path)
    plain = tmp_path / 'plain.pkl'
    plain.write_bytes(pickle.dumps(dict(x=Hostile(trap))))
    with pytest.raises(ValueError, match='is refused'):
        vet_checkpoint(plain)
    assert not trap.exists()
    run = Run(tmp_path / 'run', load_from=str(path))
    run.start('--trust-checkpoint')
    run.finish()
    assert trap.exists()


def test_a_disk_that_fills_up_keeps_the_last_checkpoint(
    tmp_path, small_options, monkeypatch, pytestconfig
):
    from eac_mm.apis import build_runner, load_config
    from eac_mm.utils import checkpoints, files

    monkeypatch.chdir(pytestconfig.rootpath)
    cfg = load_config(
        'configs/baseline/resnet18_rafdb_clean.py', small_options, str(tmp_path)
    )
    runner = build_runner(cfg)
    fsync, full = files.os.fsync, []

    def refuse_the_second(number):
        if (tmp_path / 'epoch_1.pth').exists() and (tmp_path / 'result.json').exists():
            full.append(number)
            raise OSError(28, 'No space left on device')
        fsync(number)

    monkeypatch.setattr(files.os, 'fsync', refuse_the_second)
    with pytest.raises(OSError, match=r"epoch_2.pth could.*kept: \['epoch_1.pth'\]"):
        runner.train()
    assert full
    assert checkpoints.damage(tmp_path / 'epoch_1.pth') is None
    assert not list(tmp_path.glob('*.part'))


def test_a_loss_that_is_no_number_ends_the_run(tmp_path):
    run = Run(tmp_path / 'run', **{'param_scheduler.gamma': 1e25})
    run.start()
    output = run.finish()
    assert run.process.returncode != 0
    assert 'the loss is not finite in epoch' in output
    assert 'learning rate 2e+22' in output
    assert 'synthetic/train/0000' in output
    assert (run.work_dir / 'epoch_1.pth').exists()
    assert not json.loads((run.work_dir / 'result.json').read_text())['finished']


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 48 MB, for checkpoints of about 8."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip('this user may not mount a file system')
    yield folder
    subprocess.run(['umount', '-l', str(folder)], check=False)


def test_a_file_system_that_fills_up(small_disk, uninterrupted):
    size = (uninterrupted.work_dir / 'epoch_6.pth').stat().st_size
    # Room for two checkpoints and a half.
    (small_disk / 'others').write_bytes(bytes(48 * 2**20 - int(2.5 * size)))
    run = Run(small_disk / 'run')
    run.start()
    output = run.finish()
    assert run.process.returncode != 0
    assert 'epoch_3.pth could not be written' in output
    assert "kept: ['epoch_2.pth', 'epoch_1.pth']" in output
    assert 'go on with --resume' in output
    names = {path.name for path in run.work_dir.iterdir() if path.is_file()}
    assert not any(name.endswith('.part') for name in names)
    (small_disk / 'others').unlink()
    run.start('--resume')
    output = run.finish()
    assert run.process.returncode == 0, output[-3000:]
    assert_same(run, uninterrupted)
