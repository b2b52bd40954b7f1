import importlib.util
from pathlib import Path

import pytest
from results import result_of, write_result

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


def read(path):
    lines = path.read_text().splitlines()
    return [[cell.strip() for cell in line.split('|')[1:-1]] for line in lines]


class Training:
    """Stands in for a training: notes the command and writes a result.

    An accuracy of None is a training that fails.
    """

    def __init__(self, accuracies, best=90.0):
        self.accuracies = iter(accuracies)
        self.best = best and {'accuracy/top1': best}
        self.commands = []

    def __call__(self, run, script, threads, report, processes):
        self.commands.append(run.command(script))
        self.threads = threads
        accuracy = next(self.accuracies)
        if accuracy is None:
            raise RuntimeError('the disk is full')
        result = result_of(run, accuracy, seconds=90.0)
        write_result(run, dict(result, best_epoch=self.best))


def test_table_of_means_and_deviations(compare, monkeypatch, tmp_path, capsys):
    training = Training([70.0, 80.0, 72.0, 86.0])
    monkeypatch.setattr(runs, 'train', training)
    arguments = [BASELINE, EAC, '--seeds', '0', '1', '--work-dir', str(tmp_path)]
    out = tmp_path / 'tables' / 'table.md'
    assert compare.main([*arguments, '--out', str(out)]) == 0
    rows = read(out)
    # deviations of (70, 72) and (80, 86): sqrt(2) and sqrt(18)
    assert rows[2] == [
        'baseline/resnet18_rafdb_noise30',
        '0 1',
        '71.00 ± 1.41',
        '-',
        '-',
        '90.00 ± 0.00',
        '-',
        '-',
        '1.50 ± 0.00',
    ]
    assert rows[3][:3] == ['eac/resnet18_rafdb_noise30', '0 1', '83.00 ± 4.24']
    picture = out.with_suffix('.png')
    printed = capsys.readouterr().out
    assert printed.endswith(f'{out.read_text()}\nTable: {out}\nPicture: {picture}\n')
    assert picture.read_bytes().startswith(b'\x89PNG')
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

    before = out.read_text()
    compare.main([*arguments, '--out', str(out)])
    assert out.read_text() == before
    assert len(training.commands) == 4  # nothing is trained again


def test_the_table_is_printed_though_a_run_fails(
    compare, monkeypatch, tmp_path, capsys
):
    # seed by seed: the baseline fails with seed 0, EAC with both
    monkeypatch.setattr(runs, 'train', Training([None, None, 72.0, None]))
    out = tmp_path / 'table.md'
    arguments = [BASELINE, EAC, '--seeds', '0', '1', '--work-dir', str(tmp_path)]
    assert compare.main([*arguments, '--out', str(out)]) == 1
    rows = read(out)
    name = 'resnet18_rafdb_noise30'
    assert rows[2][:3] == [f'baseline/{name}', '1', '72.00']
    assert rows[3] == [f'eac/{name}', *['-'] * 8]
    printed = capsys.readouterr().out
    assert printed.count('FAILED') == 3
    assert 'the disk is full' in printed


def test_a_run_without_a_best_epoch(compare, monkeypatch, tmp_path):
    monkeypatch.setattr(runs, 'train', Training([70.0, 72.0], best=None))
    out = tmp_path / 'table.md'
    arguments = [EAC, '--seeds', '0', '1', '--work-dir', str(tmp_path)]
    assert compare.main([*arguments, '--out', str(out)]) == 0
    assert read(out)[2][2:6] == ['71.00 ± 1.41', '-', '-', '-']


def test_runs_have_folders_of_their_own(compare, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, 'train', Training([70.0, 72.0]))
    assert compare.main([BASELINE, EAC, EAC, '--seeds', '3', '3']) == 0
    found = sorted(path.parent.as_posix() for path in Path().rglob('result.json'))
    assert found == [
        'work_dirs/compare/baseline/resnet18_rafdb_noise30/seed3',
        'work_dirs/compare/eac/resnet18_rafdb_noise30/seed3',
    ]


def test_namesakes_are_refused(compare, tmp_path):
    other = tmp_path / 'eac' / Path(EAC).name
    other.parent.mkdir()
    other.write_text(f'_base_ = {EAC!r}')
    with pytest.raises(ValueError, match=r'both named eac/resnet18.* Fix: rename'):
        compare.main([EAC, str(other)])


def test_other_settings_are_not_mixed_in(compare, monkeypatch, tmp_path):
    training = Training([70.0, 80.0])
    monkeypatch.setattr(runs, 'train', training)
    arguments = [EAC, '--work-dir', str(tmp_path)]
    options = ['--cfg-options', 'train_cfg.max_epochs=3']
    compare.main([*arguments, *options])
    assert training.commands[0][-2:] == options
    with pytest.raises(ValueError, match=r'of other settings.* Fix: '):
        compare.main(arguments)


def test_a_recipe_that_is_not_there(compare, tmp_path):
    missing = EAC.replace('noise30', 'noise31')
    with pytest.raises(FileNotFoundError, match=r'noise31\.py.* Fix: '):
        compare.main([missing, '--work-dir', str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


def test_a_failed_training_shows_the_end_of_its_log(
    compare, monkeypatch, tmp_path, capsys
):
    monkeypatch.chdir(tmp_path)  # where there is no data/rafdb
    assert compare.main([EAC]) == 1
    printed = capsys.readouterr().out
    assert "folder 'data/rafdb' does not exist" in printed
    assert printed.rstrip().endswith('the training ended with 2')


def test_jobs_share_the_cores(compare, monkeypatch, tmp_path):
    monkeypatch.setattr(runs.os, 'cpu_count', lambda: 8)
    training = Training([70.0] * 3)
    monkeypatch.setattr(runs, 'train', training)
    arguments = [EAC, '--work-dir', str(tmp_path), '--seeds', '0', '1', '2']
    compare.main([*arguments, '--jobs', '3'])
    assert training.threads == 2
    assert len(training.commands) == 3
    with pytest.raises(ValueError, match=r'--jobs 0.* Fix: '):
        compare.main([*arguments, '--jobs', '0'])
