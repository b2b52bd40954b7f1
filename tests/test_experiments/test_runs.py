import json
import os
import shutil
import signal
import sys
import time
from threading import Thread

import pytest

from eac_mm.datasets.noise import noisy_labels
from eac_mm.experiments import Run, run_all, runs
from eac_mm.experiments.runs import Interrupted
from eac_mm.utils.signals import exit_on_signal
from eac_mm.version import MEASURES

RECIPE = 'model = dict(weight=5.0)\nloader = dict(pin_memory={})\n'
TRAIN = f"""
import argparse, json, os, pathlib, signal
parser = argparse.ArgumentParser()
parser.add_argument('config')
parser.add_argument('--work-dir', type=pathlib.Path)
parser.add_argument('--seed', type=int)
parser.add_argument('--resume', action='store_true')
parser.add_argument('--cfg-options', nargs='*')
args = parser.parse_args()
print(os.environ.get('NOISE'))
print('Epoch(train) of', args.seed, 'with', os.environ.get('OMP_NUM_THREADS'))
if args.seed == 1:
    raise SystemExit('no more disk')
if args.seed == 9:
    os.kill(os.getpid(), signal.SIGTERM)
if args.seed == 8:
    raise SystemExit(128 + signal.SIGINT)  # as exit_on_signal does
if args.seed < 3:
    settings = dict(model=dict(weight=5.0), default_hooks={{}}, custom_hooks=[])
    identity = dict(settings=settings, seed=args.seed)
    result = dict(finished=True, seed=args.seed, identity=identity)
    result['measures'] = {MEASURES}
    result = json.dumps(result)
    (args.work_dir / 'result.json').write_text(result)
"""


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / 'eac' / 'a.py'
    path.parent.mkdir()
    path.write_text(RECIPE.format(False))
    return path


@pytest.fixture
def make(recipe, tmp_path):
    return lambda seed=0, **more: Run(
        str(recipe), seed, tmp_path / 'w' / f'seed{seed}', **more
    )


@pytest.fixture
def script(tmp_path):
    path = tmp_path / 'train.py'
    path.write_text(TRAIN)
    return path


def test_command(make, script, tmp_path, recipe):
    command = [sys.executable, str(script), str(recipe), '--resume', '--work-dir']
    command += [str(tmp_path / 'w' / 'seed2'), '--seed', '2']
    assert make(2).command(script) == command
    options = ('model.weight=0.1',)
    extended = [*command, '--amp', '--cfg-options', *options]
    assert make(2, options=options, amp=True).command(script) == extended


def test_a_signal_ends_the_trainings_too(make, script):
    script.write_text(
        'import pathlib, sys, time\n'
        "folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])\n"
        "(folder / 'begun').touch()\n"
        'time.sleep(30)\n'
        "(folder / 'slept').touch()\n"
    )
    folders = [make(seed).work_dir for seed in (0, 1)]

    def stop():
        while not all((folder / 'begun').exists() for folder in folders):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=stop, daemon=True).start()
    with pytest.raises(SystemExit), exit_on_signal(lambda: 'again'):
        run_all([make(seed) for seed in (0, 1, 2)], script, jobs=2)
    # run_all has waited for both of them, and neither came to its end.
    assert not any((folder / 'slept').exists() for folder in folders)
    assert not make(2).work_dir.exists()


def test_later_options_win_and_are_parsed(make):
    run = make(options=('model.weight=3', 'model.weight=0.1'))
    assert run.settings().model.weight == 0.1


def test_an_option_may_follow_the_seed(make, script):
    runs = [make(seed, options=('model.weight={seed}',)) for seed in (4, 5)]
    assert [run.settings().model.weight for run in runs] == [4, 5]
    assert runs[1].command(script)[-2:] == ['--cfg-options', 'model.weight=5']


def test_what_a_signal_ended_has_not_failed(make, script, capsys):
    failures = run_all([make(9), make(8)], script)
    assert [type(error) for _, error in failures] == [Interrupted, Interrupted]
    printed = capsys.readouterr().out
    assert 'run 1 of 2  eac seed 9  stopped\n' in printed
    assert 'run 2 of 2  eac seed 8  stopped\n' in printed


def test_one_failure_does_not_lose_the_others(make, script, capsys):
    wanted = [make(seed) for seed in (0, 1, 2, 3, 0)]
    failures = run_all(wanted, script)
    assert [run for run, _ in failures] == [wanted[1], wanted[3]]
    assert 'no more disk' in str(failures[0][1])
    assert 'the training ended with 1' in str(failures[0][1])
    assert 'no finished result.json' in str(failures[1][1])
    assert [bool(run.result()) for run in wanted[:4]] == [True, False, True, False]
    assert 'no more disk' in wanted[1].log.read_text()
    printed = capsys.readouterr().out
    assert printed.count('run 1 of 4  eac seed 0  starts') == 1
    assert printed.count('run 2 of 4  eac seed 1  failed') == 1
    assert printed.count('run 3 of 4  eac seed 2  done') == 1

    run_all(wanted, script)  # seeds 1 and 3 go on, the others stay as they are
    assert wanted[0].log.read_text().count('Epoch') == 1
    assert wanted[1].log.read_text().count('Epoch') == 2


def test_the_measured_noise_is_shown(make, script, monkeypatch, capsys):
    said = []
    monkeypatch.setattr(
        noisy_labels, 'print_log', lambda text, logger: said.append(text)
    )
    faces = dict(type='mmpretrain.SyntheticFER', size=10)
    noisy_labels.NoisyLabels(faces, kind='symmetric', rate=0.3, seed=0)
    monkeypatch.setenv('NOISE', f'INFO - {said[-1]}')
    assert run_all([make(0)], script) == []
    assert f'eac seed 0  {said[-1]}\n' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('runs_as', 'names'),
    [
        (['base/a', 'eac/a', 'eac/a'], ['base', 'eac', 'eac']),
        (['eac/a', 'eac/b'], ['eac/a', 'eac/b']),
        (['eac/a x=1 y=2', 'eac/a x=1'], ['eac y=2', 'eac']),
        (['eac/a x=1', 'eac/b x=1', 'eac/b'], ['eac/a x=1', 'eac/b x=1', 'eac/b']),
        ([], []),
    ],
)
def test_short_names(runs_as, names, tmp_path):
    wanted = [
        Run(f'{recipe}.py', seed, tmp_path, tuple(options))
        for seed, (recipe, *options) in enumerate(text.split() for text in runs_as)
    ]
    assert runs.short_names(wanted) == names


def test_progress_knows_the_number_of_epochs(make, script, recipe, capsys):
    recipe.write_text(RECIPE.format(False) + 'train_cfg = dict(max_epochs=7)\n')
    script.write_text(TRAIN + "print('Epoch(val) [3][1/1] accuracy/top1: 50.0')\n")
    assert run_all([make(0)], script) == []
    assert 'epoch 3 of 7  accuracy 50.0 %' in capsys.readouterr().out
    command = make(0).log.read_text().splitlines()[0]
    assert command.startswith('$ ')
    assert command.endswith(f'--work-dir {make(0).work_dir} --seed 0')


def test_jobs_share_the_cores(make, script, monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.setattr(runs.os, 'cpu_count', lambda: 8)
    assert run_all([make(0)], script, jobs=3) == []
    assert 'with 2' in make(0).log.read_text()
    with pytest.raises(ValueError, match='--jobs 0'):
        run_all([make(0)], script, jobs=0)


def test_other_settings_are_refused_before_anything_starts(make, script):
    run_all([make(0)], script)
    others = [make(seed, options=('model.weight=3',)) for seed in (0, 2)]
    with pytest.raises(ValueError, match=r'(?s)of other settings.*Fix: ') as error:
        run_all([make(2), *others], script)
    assert '  model.weight: 5.0 -> 3\n' in str(error.value)
    assert str(error.value).count('seed2') == 0
    assert not make(2).work_dir.exists()


def test_machine_and_place_are_no_settings(make, script, recipe, tmp_path):
    run = make(0)
    run_all([run], script)
    recipe.write_text(RECIPE.format(True))  # as on a machine with a GPU
    (tmp_path / 'w').rename(tmp_path / 'elsewhere')
    moved = Run(run.config, 0, tmp_path / 'elsewhere' / 'seed0')
    assert moved.result() is not None
    assert moved.outdated() is None


def test_a_finished_run_is_recorded(make, script, tmp_path):
    run = make(2, record=tmp_path / 'records' / 'seed2.json')
    assert run_all([run], script) == []
    record = json.loads(run.record.read_text())
    result = json.loads((run.work_dir / 'result.json').read_text())
    assert record == dict(recipe='eac/a', options=[], amp=False, **result)

    shutil.rmtree(run.work_dir)  # it is not trained again
    assert run_all([run], script) == []
    assert run.result() == record
    assert not run.work_dir.exists()
    other = make(2, record=run.record, options=('model.weight=3',))
    with pytest.raises(ValueError, match=r'seed2.json is of other settings'):
        run_all([other], script)


def test_a_record_is_never_replaced(make, script, tmp_path):
    run = make(2, record=tmp_path / 'seed2.json')
    run_all([run], script)
    before = run.record.read_text()
    (run.work_dir / 'result.json').write_text('{"finished": true, "seconds": 1}')
    run.collect()
    assert run.record.read_text() == before


def test_an_unfinished_result_is_none(make, finish):
    assert make().result() is None
    finish(make(), 80.0, finished=False)
    assert make().result() is None
