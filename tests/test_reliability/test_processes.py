"""A process that dies ends its job, and leaves nobody behind."""

import os
import signal
import time
from pathlib import Path

import pytest

from .conftest import Run, assert_same, children_of

MINUTE = 60


def processes_of(run: Run) -> list[tuple[int, str]]:
    """Number and command of every process that works for a run."""
    found = []
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            words = (folder / 'cmdline').read_bytes().decode().split('\0')
            state = (folder / 'stat').read_text().rsplit(')', 1)[1].split()[0]
        except (OSError, UnicodeDecodeError):
            continue
        if str(run.work_dir) in words and state != 'Z':
            found.append((int(folder.name), ' '.join(words)))
    return found


def wait_until_gone(run: Run, timeout: float = 15) -> None:
    end = time.monotonic() + timeout
    while processes_of(run) and time.monotonic() < end:
        time.sleep(0.2)
    assert processes_of(run) == []


@pytest.fixture
def long_run(tmp_path):
    run = Run(tmp_path / 'run', **{'train_cfg.max_epochs': 400})
    yield run
    if run.process.poll() is None:
        run.kill()


def test_a_rank_that_dies_ends_the_job(long_run):
    long_run.start(processes=2, torchrun=True)
    long_run.wait_for('Epoch(train)   [2]')
    ranks = [n for n, c in processes_of(long_run) if 'torch.distributed.run' not in c]
    tops = [n for n in ranks if not any(n in children_of(o) for o in ranks)]
    assert len(tops) == 2
    start = time.monotonic()
    os.kill(tops[1], signal.SIGKILL)
    output = long_run.finish(timeout=MINUTE)
    assert time.monotonic() - start < MINUTE
    assert long_run.process.returncode != 0
    assert 'Signal 9 (SIGKILL)' in output
    wait_until_gone(long_run)
    assert list(long_run.work_dir.glob('epoch_*.pth'))


def test_a_worker_that_dies_ends_the_job(long_run):
    long_run.start()
    long_run.wait_for('Epoch(train)   [2]')
    worker = children_of(long_run.process.pid)[0]
    start = time.monotonic()
    os.kill(worker, signal.SIGKILL)
    output = long_run.finish(timeout=MINUTE)
    assert time.monotonic() - start < MINUTE
    assert long_run.process.returncode != 0
    assert f'DataLoader worker (pid {worker}' in output or 'DataLoader worker' in output
    wait_until_gone(long_run)


def test_torchrun_starts_again_from_the_newest_checkpoint(tmp_path):
    options = {'train_cfg.max_epochs': 4}
    whole, run = (Run(tmp_path / name, **options) for name in ('whole', 'run'))
    whole.start(processes=2)
    whole.finish()
    run.start(processes=2, torchrun=True, MAX_RESTARTS='1')
    run.wait_for('Saving checkpoint at 2 epochs')
    ranks = [n for n, c in processes_of(run) if 'torch.distributed.run' not in c]
    tops = [n for n in ranks if not any(n in children_of(o) for o in ranks)]
    os.kill(tops[0], signal.SIGKILL)
    output = run.finish()
    assert run.process.returncode == 0, output[-4000:]
    assert 'resumed epoch: ' in output
    assert_same(run, whole)
    wait_until_gone(run)


def test_two_processes_measure_what_one_would(tmp_path):
    """With 33 images to validate on, which two do not share evenly."""
    options = {'val_dataloader.dataset.size': 33, 'train_cfg.max_epochs': 2}
    run = Run(tmp_path / 'run', **options)
    run.start(processes=2)
    run.finish()
    two = run.outcome()[1][1]
    # On one process: the same weights, validated as the resumed run begins.
    options['train_dataloader.batch_size'] = 32  # as many images a step as two
    alone = Run(tmp_path / 'alone', **options)
    alone.work_dir.mkdir()
    (alone.work_dir / 'epoch_2.pth').write_bytes(
        (run.work_dir / 'epoch_2.pth').read_bytes()
    )
    alone.start('--resume')
    alone.finish()
    assert alone.outcome()[1][1] == two


@pytest.mark.parametrize(
    ('number', 'processes'), [(signal.SIGUSR1, 1), (signal.SIGTERM, 2)]
)
def test_a_signal_ends_the_run_with_one_line(long_run, number, processes):
    """Sent to all processes, workers included, as Slurm does."""
    long_run.start(processes=processes, torchrun=processes == 2)
    long_run.wait_for('Epoch(train)   [2]')
    os.killpg(long_run.process.pid, number)
    output = long_run.finish(timeout=MINUTE)
    lines = [line for line in output.splitlines() if 'Stopped by' in line]
    assert len(lines) == 1, output[-3000:]
    checkpoint = max(long_run.work_dir.glob('epoch_*.pth'), key=lambda p: p.stem[6:])
    script = 'tools/train.py' if processes == 1 else 'tools/dist_train.sh'
    assert f'Stopped by {number.name}. {checkpoint} is whole' in lines[0]
    assert script in lines[0] and lines[0].endswith(' --resume')
    if processes == 1:  # torchrun speaks for itself
        assert long_run.process.returncode == 128 + number
        assert 'Traceback' not in output
    wait_until_gone(long_run)
