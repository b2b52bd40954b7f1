import csv
import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from eac_mm.experiments import runs

ROOT = Path(__file__).parents[2]
SMALL = ['--protocol', 'small', '--data', 'ferplus', '--noise', '30']
LAST = {'baseline': 50.0, 'eac': 60.0}


@pytest.fixture
def reproduce(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # the defaults are relative: work_dirs, docs/results
    for name in ('ID', 'COUNT', 'MIN', 'MAX'):
        monkeypatch.delenv(f'SLURM_ARRAY_TASK_{name}', raising=False)
    path = ROOT / 'tools' / 'reproduce.py'
    spec = importlib.util.spec_from_file_location('tool_reproduce', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Training:
    """Stands in for a training; those of a seed to fail leave no result."""

    def __init__(self):
        self.trained = []
        self.failing = ()

    def __call__(self, run, script, threads, report):
        assert script == ROOT / 'tools' / 'train.py'
        self.trained.append(run.work_dir.as_posix())
        if run.seed in self.failing:
            raise RuntimeError('a traceback\nOSError: disk full\n\nit ended with 1')
        method = Path(run.config).parent.name
        mean = {'accuracy/top1': LAST[method] + run.seed, 'noise/memorised': 20.0}
        result = dict(
            seed=run.seed,
            finished=True,
            last=5,
            last_mean=mean,
            best_epoch={'accuracy/top1': 77.0},
            seconds=300.0,
        )
        (run.work_dir / 'result.json').write_text(json.dumps(result))


@pytest.fixture
def training(monkeypatch):
    training = Training()
    monkeypatch.setattr(runs, 'train', training)
    return training


def read(name):
    with Path('docs/results', f'{name}.csv').open(encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_runs_what_is_missing_and_writes_the_table(reproduce, training, capsys):
    command = ['table1', *SMALL, '--seeds', '2']
    assert reproduce.main(command) == 0
    folder = 'work_dirs/reproduce/small'
    assert training.trained == [
        f'{folder}/{method}/resnet18_ferplus_noise30-small/seed{seed}'
        for method in ('baseline', 'eac')
        for seed in (0, 1)
    ]
    assert 'Table 1' in Path('docs/results/table1-small.md').read_text()
    assert not Path('docs/results/table1.md').exists()
    base, eac = read('table1-small')
    assert (base['last5_mean'], eac['last5_mean']) == ('50.5', '60.5')
    assert (base['best_epoch_mean'], eac['best_epoch_mean']) == ('77.0', '77.0')
    assert eac['paper_full_protocol'] == '85.44'
    assert '60.50 ± 0.71' in capsys.readouterr().out

    before = Path('docs/results/table1-small.md').read_text()
    again = before.split('reproduced by `python tools/reproduce.py ')[1].split('`')[0]
    assert reproduce.main(again.split()) == 0  # nothing is trained again
    assert len(training.trained) == 4
    assert Path('docs/results/table1-small.md').read_text() == before


def test_tables_share_runs(reproduce, training):
    names = ['table1', 'lambda']
    reproduce.main([*names, *SMALL, '--methods', 'eac'])
    assert len(training.trained) == 1 + 4  # lambda 5 is table 1's run
    rows = {row['row']: row for row in read('lambda-small')}
    assert rows['5']['options'] == ''
    assert rows['0.1']['options'] == 'model.head.consistency_weight=0.1'


def test_one_failure_does_not_lose_the_others(reproduce, training, capsys):
    training.failing = (1,)
    command = ['table1', *SMALL, '--methods', 'eac', '--seeds', '3']
    assert reproduce.main(command) == 1
    assert len(training.trained) == 3
    out = capsys.readouterr().out
    assert 'FAILED work_dirs/reproduce/small/eac/' in out
    assert 'seed1/train.log)\n  OSError: disk full\n  it ended with 1' in out
    (row,) = read('table1-small')
    assert (row['seeds'], row['seeds_planned'], row['last5_mean']) == ('2', '3', '')
    assert '2 of 3 seeds' in Path('docs/results/table1-small.md').read_text()

    training.failing = ()
    assert reproduce.main([*command, '--report']) == 0
    assert len(training.trained) == 3
    assert reproduce.main(command) == 0
    assert len(training.trained) == 4
    assert read('table1-small')[0]['last5_mean'] == '61.0'


def test_a_dry_run_starts_and_writes_nothing(reproduce, training, capsys):
    assert reproduce.main(['table1', *SMALL, '--dry-run']) == 0
    assert '2 runs: 0 finished, 2 to do' in capsys.readouterr().out
    assert list(Path.cwd().iterdir()) == []
    reproduce.main(['table1', *SMALL, '--methods', 'eac'])
    capsys.readouterr()
    assert reproduce.main(['table1', *SMALL, '--seeds', '2', '--dry-run']) == 0
    out = capsys.readouterr().out
    # the baseline has one view an image, EAC two: 2.5, 2.5, finished and 5 minutes
    assert out.count('about 2 min') == 2
    assert 'one after another about 10 min' in out
    assert len(training.trained) == 1


def test_shards_write_the_table_when_all_are_done(
    reproduce, training, monkeypatch, capsys
):
    command = ['table1', *SMALL, '--seeds', '2']
    assert reproduce.main([*command, '--shard', '2/3']) == 0
    assert not Path('docs').exists()
    out = capsys.readouterr().out
    assert 'not written by shard 2 of 3: 3 of its runs are not finished' in out
    assert 'reproduce.py table1 --protocol small --data ferplus --noise 30' in out
    monkeypatch.setenv('SLURM_ARRAY_TASK_ID', '1')
    monkeypatch.setenv('SLURM_ARRAY_TASK_MIN', '1')
    monkeypatch.setenv('SLURM_ARRAY_TASK_COUNT', '3')
    monkeypatch.setenv('SLURM_ARRAY_TASK_MAX', '3')
    reproduce.main(command)
    assert not Path('docs').exists()
    monkeypatch.setenv('SLURM_ARRAY_TASK_ID', '3')
    reproduce.main(command)
    assert len(set(training.trained)) == len(training.trained) == 4
    assert Path('docs/results/table1-small.md').is_file()


def test_other_settings_are_refused(reproduce, training):
    command = ['table1', *SMALL]
    reproduce.main([*command, '--cfg-options', 'train_cfg.max_epochs=3'])
    for more in ([], ['--report'], ['--dry-run'], ['--amp']):
        with pytest.raises(ValueError, match='holds a run of other settings'):
            reproduce.main([*command, *more])
    assert len(training.trained) == 2


def test_a_report_in_a_fresh_clone_keeps_the_table(reproduce, training, capsys):
    command = ['table1', *SMALL, '--seeds', '2']
    assert reproduce.main(command) == 0
    folder = Path('docs/results')
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert len(before) == 3
    shutil.rmtree('work_dirs')
    capsys.readouterr()

    assert reproduce.main([*command, '--report']) == 1
    out = capsys.readouterr().out
    assert 'NOT WRITTEN: docs/results/table1-small.csv has results' in out
    assert 'EAC | accuracy: finished seeds: 2 in the file, 0 in the new table' in out
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert reproduce.main([*command, '--report', '--out', 'elsewhere']) == 0
    assert Path('elsewhere/table1-small.csv').is_file()


@pytest.mark.parametrize('fewer', [['--seeds', '1'], ['--seeds', '2', '--rows', 'EAC']])
def test_a_smaller_plan_is_refused_before_it_trains(reproduce, training, fewer):
    assert reproduce.main(['table1', *SMALL, '--seeds', '2']) == 0
    shutil.rmtree('work_dirs')
    training.trained.clear()
    with pytest.raises(ValueError, match='results that the new table would lose'):
        reproduce.main(['table1', *SMALL, *fewer])
    assert training.trained == []


def test_a_failed_run_does_not_cost_a_finished_row(reproduce, training, capsys):
    command = ['table1', *SMALL, '--seeds', '2']
    assert reproduce.main(command) == 0
    before = Path('docs/results/table1-small.md').read_text()
    shutil.rmtree('work_dirs')
    training.failing = (1,)
    assert reproduce.main(command) == 1
    out = capsys.readouterr().out
    assert 'FAILED work_dirs/reproduce/small/eac/' in out
    assert 'NOT WRITTEN' in out
    assert '| 1 of 2 seeds |' in out  # what there is stands on the screen
    assert Path('docs/results/table1-small.md').read_text() == before


def test_list_shows_the_cells(reproduce, capsys):
    assert reproduce.main(['--list', 'table5', 'lambda']) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert 'table5: Table 5: many classes' in lines
    assert (
        'full | CIFAR-100, 30 % | EAC | eac/resnet18_cifar100_noise30 | '
        'paper 60.59/82.84'
    ) in lines
    assert not any(line.startswith('table1') for line in lines)


@pytest.mark.parametrize(
    'command, message',
    [
        ([], 'no table named'),
        (['table9'], 'table table9 is unknown'),
        (['table2', '--protocol', 'small'], 'small: table1 table3 lambda'),
        (['table1', '--shard', '3/2'], '--shard 3/2'),
        (['table1', '--seeds', '0'], '--seeds 0'),
    ],
)
def test_what_cannot_be_is_refused(reproduce, training, command, message):
    with pytest.raises(ValueError, match=message):
        reproduce.main(command)
    assert training.trained == []
