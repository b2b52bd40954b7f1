"""A run killed at any moment ends as if nothing had happened."""

import itertools
import os
import random
import shutil
import time

import pytest

from .conftest import Run, assert_same

# docs/reliability.md: 20 and more with EAC_MM_KILLS=20
KILLS = int(os.environ.get('EAC_MM_KILLS', 3))


def kill_and_go_on(
    run: Run, kills: int, rng: random.Random, *words: str, **start
) -> None:
    """Kill a run at random steps, then let it end."""
    for _ in range(5):
        if all(_kill_once(run, kills, rng, *words, **start) for _ in range(kills)):
            break
        # On a busy machine a kill may come too late: start over.
        shutil.rmtree(run.work_dir)
    else:
        pytest.fail('the training ended before it was killed, five times')
    run.start('--resume', *words, **start)
    output = run.finish()
    assert run.process.returncode == 0, output[-4000:]


def _kill_once(run: Run, kills: int, rng: random.Random, *words: str, **start) -> bool:
    """Kill a run so early that steps remain; return whether it still ran."""
    run.start('--resume', *words, **start)
    steps = rng.randint(1, run.steps(**start) // (kills + 1))
    lines = (line for line in run.process.stdout if 'Epoch(train)' in line)
    running = len(list(itertools.islice(lines, steps))) == steps
    time.sleep(rng.uniform(0, 0.05))
    return run.kill() and running


def test_killed_at_random_moments(tmp_path, uninterrupted):
    rng = random.Random(0)
    done = 0
    while done < KILLS:
        kills = min(KILLS - done, rng.choice([1, 2, 3]))
        run = Run(tmp_path / f'run{done}')
        kill_and_go_on(run, kills, rng)
        assert_same(run, uninterrupted)
        done += kills


@pytest.mark.parametrize(('workers', 'cache'), [(0, 'ram'), (2, 'ram'), (4, 'none')])
def test_neither_workers_nor_cache_change_anything(
    tmp_path, uninterrupted, workers, cache
):
    run = Run(tmp_path / 'run', **{'train_dataloader.num_workers': workers})
    run.start('--cache', cache)
    run.wait_for('Saving checkpoint at 2 epochs')
    run.kill()
    run.start('--resume', '--cache', cache)
    output = run.finish()
    assert run.process.returncode == 0, output[-4000:]
    assert_same(run, uninterrupted)


def test_images_on_the_device(tmp_path):
    _assert_kill_changes_nothing(tmp_path, '--cache', 'device')


def test_two_processes(tmp_path):
    """With gradients that are accumulated over the borders of epochs of 3 steps."""
    options = {'optim_wrapper.accumulative_counts': 2}
    words = ('--cache', 'device')
    _assert_kill_changes_nothing(tmp_path, *words, processes=2, **options)


def _assert_kill_changes_nothing(tmp_path, *words, processes=1, **options):
    options['train_cfg.max_epochs'] = 3
    whole, run = (Run(tmp_path / name, **options) for name in ('whole', 'run'))
    whole.start(*words, processes=processes)
    output = whole.finish()
    assert whole.process.returncode == 0, output[-4000:]
    kill_and_go_on(run, 1, random.Random(2), *words, processes=processes)
    assert_same(run, whole)


def test_killed_between_a_checkpoint_and_its_validation(tmp_path, uninterrupted):
    run = Run(tmp_path / 'run')
    run.start()
    run.wait_for('Saving checkpoint at 3 epochs')
    deadline = time.monotonic() + 20
    while not (run.work_dir / 'epoch_3.pth').exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    run.kill()
    run.start('--resume')
    assert 'resumed epoch: 3' in run.finish()
    assert_same(run, uninterrupted)


def test_averaged_weights(tmp_path):
    """MMEngine's EMAHook keeps a second set of weights in the checkpoint."""
    options = {'default_hooks.ema.type': 'EMAHook', 'train_cfg.max_epochs': 3}
    whole, run = (Run(tmp_path / name, **options) for name in ('whole', 'run'))
    whole.start()
    output = whole.finish()
    assert whole.process.returncode == 0, output[-4000:]
    run.start()
    run.wait_for('Epoch(train) [3][2/6]')
    run.kill()
    run.start('--resume')
    assert 'resumed epoch: 2' in run.finish()
    assert_same(run, whole)
