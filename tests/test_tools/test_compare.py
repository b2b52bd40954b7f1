import importlib.util
import json
from pathlib import Path

import pytest

from eac_mm.experiments import runs

ROOT = Path(__file__).parents[2]
EAC = str(ROOT / 'configs/eac/resnet18_rafdb_noise30.py')
BASELINE = str(ROOT / 'configs/baseline/resnet18_rafdb_noise30.py')


@pytest.fixture
def compare():
    path = ROOT / 'tools' / 'compare.py'
    spec = importlib.util.spec_from_file_location('tool_compare', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Training:
    """Stands in for a training: notes the command and writes a result."""

    def __init__(self, accuracies):
        self.accuracies = iter(accuracies)
        self.commands = []

    def __call__(self, run, script, threads):
        self.commands.append(run.command(script))
        self.threads = threads
        result = dict(
            seed=run.seed,
            finished=True,
            last_mean={'accuracy/top1': next(self.accuracies)},
            best_epoch={'accuracy/top1': 90.0},
            seconds=90.0,
        )
        (run.work_dir / 'result.json').write_text(json.dumps(result))


def test_table_of_means_and_deviations(compare, monkeypatch, tmp_path):
    training = Training([70.0, 80.0, 72.0, 86.0])
    monkeypatch.setattr(runs, 'train', training)
    arguments = [BASELINE, EAC, '--seeds', '0', '1', '--work-dir', str(tmp_path)]
    out = tmp_path / 'tables' / 'table.md'
    text = compare.main([*arguments, '--out', str(out)])
    rows = [[c.strip() for c in line.split('|')[1:-1]] for line in text.splitlines()]
    # deviations of (70, 72) and (80, 86): sqrt(2) and sqrt(18)
    assert rows[2] == [
        'baseline/resnet18_rafdb_noise30',
        '0 1',
        '71.00 ± 1.41',
        '90.00 ± 0.00',
        '-',
        '-',
        '1.50 ± 0.00',
    ]
    assert rows[3][:3] == ['eac/resnet18_rafdb_noise30', '0 1', '83.00 ± 4.24']
    assert out.read_text() == text + '\n'
    assert len(training.commands) == 4
    assert training.commands[1][1:] == [
        str(ROOT / 'tools' / 'train.py'),
        EAC,
        '--resume',
        '--work-dir',
        str(tmp_path / 'eac' / 'resnet18_rafdb_noise30' / 'seed0'),
        '--seed',
        '0',
    ]
    assert training.threads is None

    assert compare.main(arguments) == text  # nothing is trained again
    assert len(training.commands) == 4


def test_other_settings_are_not_mixed_in(compare, monkeypatch, tmp_path):
    training = Training([70.0, 80.0])
    monkeypatch.setattr(runs, 'train', training)
    arguments = [EAC, '--work-dir', str(tmp_path)]
    options = ['--cfg-options', 'train_cfg.max_epochs=3']
    compare.main([*arguments, *options])
    assert training.commands[0][-2:] == options
    with pytest.raises(ValueError, match='holds a run of other settings'):
        compare.main(arguments)


def test_a_failed_training_shows_the_end_of_its_log(compare, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where there is no data/rafdb
    message = r"folder 'data/rafdb' does not exist[\s\S]*the training ended with 1"
    with pytest.raises(RuntimeError, match=message):
        compare.main([EAC])


def test_jobs_share_the_cores(compare, monkeypatch, tmp_path):
    monkeypatch.setattr(runs.os, 'cpu_count', lambda: 8)
    training = Training([70.0] * 3)
    monkeypatch.setattr(runs, 'train', training)
    arguments = [EAC, '--work-dir', str(tmp_path), '--seeds', '0', '1', '2']
    compare.main([*arguments, '--jobs', '3'])
    assert training.threads == 2
    assert len(training.commands) == 3
    with pytest.raises(ValueError, match='--jobs 0'):
        compare.main([*arguments, '--jobs', '0'])


def test_a_run_without_accuracy_has_an_empty_cell(compare):
    result = dict(seed=0, last_mean={}, best_epoch=None, seconds=60.0)
    table = compare.table({'eac/recipe': [result]})
    assert table.splitlines()[-1].split('|')[1:-1] == [
        ' eac/recipe ',
        ' 0 ',
        ' - ',
        ' - ',
        ' - ',
        ' - ',
        ' 1.00 ',
    ]
