import csv
import importlib.util
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from results import result_of, write_result

from eac_mm import experiments
from eac_mm.experiments import cost, load_tables, runs

ROOT = Path(__file__).parents[2]
SMALL = ['--protocol', 'small', '--data', 'ferplus', '--noise', '30']
LAST = {'baseline': 50.0, 'eac': 60.0}


@pytest.fixture(scope='session')
def tables(tmp_path_factory):
    """The paper's tables, but with baseline and EAC alone in Table 1.

    Methods are added to it; what is tested here stays.
    """
    book = yaml.safe_load((ROOT / 'configs/paper_tables.yml').read_text('utf-8'))
    table = book['tables']['table1']
    table['small'] = [e for e in table['small'] if e['row'] in ('Baseline', 'EAC')]
    path = tmp_path_factory.mktemp('tables') / 'tables.yml'
    path.write_text(yaml.safe_dump(book, sort_keys=False), encoding='utf-8')
    return path


@pytest.fixture
def reproduce(monkeypatch, tmp_path, tables):
    monkeypatch.chdir(tmp_path)  # the defaults are relative: work_dirs, docs/results
    for name in ('ID', 'COUNT', 'MIN', 'MAX'):
        monkeypatch.delenv(f'SLURM_ARRAY_TASK_{name}', raising=False)
    path = ROOT / 'tools' / 'reproduce.py'
    spec = importlib.util.spec_from_file_location('tool_reproduce', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, 'TABLES', tables)
    return module


class Training:
    """Stands in for a training; those of a seed to fail leave no result."""

    def __init__(self):
        self.trained = []
        self.failing = ()

    def __call__(self, run, script, threads, report, processes):
        assert script == ROOT / 'tools' / 'train.py'
        self.trained.append(run.work_dir.as_posix())
        if run.seed in self.failing:
            raise RuntimeError('a traceback\nOSError: disk full\n\nit ended with 1')
        method = Path(run.config).parent.name
        more = {'noise/memorised': 20.0, 'mean_class/accuracy': 40.0 + run.seed}
        result = result_of(run, LAST[method] + run.seed, 77.0, 300.0, **more)
        write_result(run, result)


@pytest.fixture
def training(monkeypatch):
    training = Training()
    monkeypatch.setattr(runs, 'train', training)
    return training


def rows(name):
    with Path('docs/results', f'{name}.csv').open(encoding='utf-8') as file:
        return {(row['column'], row['row']): row for row in csv.DictReader(file)}


def contents(folder):
    """Everything in a folder, in order."""
    files = sorted(path for path in Path(folder).rglob('*') if path.is_file())
    return {path.as_posix(): path.read_bytes() for path in files}


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
    table = rows('table1-small')
    base, eac = (table['FERPlus, 30 %', name] for name in ('Baseline', 'EAC'))
    assert len(table) == 2 * 5  # 10, 20 and 30 %, asymmetric, and annotators
    assert (base['last5_mean'], eac['last5_mean']) == ('50.5', '60.5')
    assert (base['best_epoch_mean'], eac['best_epoch_mean']) == ('77.0', '77.0')
    assert eac['paper_full_protocol'] == '85.44'
    assert (eac['mean_class_mean'], eac['mean_class_gain_mean']) == ('40.5', '0.0')
    assert (eac['gain_mean'], eac['gain_sd'], eac['pairs']) == ('10.0', '0.0', '2')
    assert '60.50 ± 0.71' in capsys.readouterr().out

    page = Path('docs/results/table1-small.md').read_text()
    again = page.split('reproduced by `python tools/reproduce.py ')[1].split('`')[0]
    assert again == 'table1 --protocol small --seeds 2'
    capsys.readouterr()
    assert reproduce.main(command) == 0  # nothing is trained again
    said = capsys.readouterr().out
    assert 'finished (results in docs/results or work_dirs/reproduce)' in said
    assert len(training.trained) == 4
    assert Path('docs/results/table1-small.md').read_text() == page
    assert 'not run: FERPlus, 10 %: Baseline; FERPlus, 10 %: EAC; FERPlus, 20 %' in page


def test_tables_share_runs(reproduce, training):
    names = ['table1', 'lambda']
    reproduce.main([*names, *SMALL, '--methods', 'eac'])
    assert len(training.trained) == 1 + 4  # lambda 5 is table 1's run
    table = rows('lambda-small')
    assert table['FERPlus, 30 %', '5']['options'] == ''
    option = 'model.head.consistency_weight=0.1'
    assert table['FERPlus, 30 %', '0.1']['options'] == option


def test_one_failure_does_not_lose_the_others(reproduce, training, capsys):
    training.failing = (1,)
    command = ['table1', *SMALL, '--methods', 'eac', '--seeds', '3']
    assert reproduce.main(command) == 1
    assert len(training.trained) == 3
    out = capsys.readouterr().out
    assert 'FAILED work_dirs/reproduce/small/eac/' in out
    assert 'seed1/train.log)\n  OSError: disk full\n  it ended with 1' in out
    row = rows('table1-small')['FERPlus, 30 %', 'EAC']
    assert (row['seeds'], row['last5_mean']) == ('2', '61.0')

    training.failing = ()
    assert reproduce.main(['--report']) == 0
    assert len(training.trained) == 3
    assert reproduce.main(command) == 0
    assert len(training.trained) == 4
    assert rows('table1-small')['FERPlus, 30 %', 'EAC']['seeds'] == '3'


def test_a_dry_run_starts_and_writes_nothing(reproduce, training, capsys, monkeypatch):
    monkeypatch.setattr(cost.hardware, 'describe', lambda: 'a box')
    monkeypatch.setattr(experiments, 'missing_inputs', lambda runs: [])
    assert reproduce.main(['table1', *SMALL, '--dry-run']) == 0
    assert '2 runs: 0 finished, 2 to do' in capsys.readouterr().out
    assert list(Path.cwd().iterdir()) == []
    reproduce.main(['table1', *SMALL, '--methods', 'eac'])
    capsys.readouterr()
    assert reproduce.main(['table1', *SMALL, '--seeds', '2', '--dry-run']) == 0
    out = capsys.readouterr().out
    # the baseline has one view an image, EAC two: 2.5, 2.5, finished and 5 minutes
    assert re.search(r'Baseline  0 1    300,000 +about 2 min\n', out)
    assert re.search(
        r'EAC       0      600,000 +finished\n.*1 +600,000 +about 5 min', out
    )
    assert 'Time one after another: about 10 min.' in out
    assert len(training.trained) == 1


def test_a_dry_run_names_what_is_missing_once(reproduce, capsys):
    command = ['table1', *SMALL, '--methods', 'baseline', 'eac', '--dry-run']
    assert reproduce.main(command) == 1
    out = capsys.readouterr().out
    assert out.count("MISSING The folder 'data/ferplus' does not exist. Fix: get") == 1
    assert list(Path.cwd().iterdir()) == []


def test_what_is_missing_is_said_before_the_trainings(reproduce, training, capsys):
    assert reproduce.main(['table1', *SMALL, '--methods', 'eac']) == 0
    out = capsys.readouterr().out
    missing, trained = out.index('MISSING The folder'), out.index('1 of 1  eac')
    assert missing < out.index('The runs that need it will fail') < trained


def test_shards_share_the_runs(reproduce, training, monkeypatch):
    command = ['table1', *SMALL, '--seeds', '2']
    assert reproduce.main([*command, '--shard', '2/3']) == 0
    assert len(training.trained) == 1
    assert rows('table1-small')['FERPlus, 30 %', 'Baseline']['seeds'] == '1'
    monkeypatch.setenv('SLURM_ARRAY_TASK_MIN', '1')
    monkeypatch.setenv('SLURM_ARRAY_TASK_COUNT', '3')
    monkeypatch.setenv('SLURM_ARRAY_TASK_MAX', '3')
    for i in (1, 3):
        monkeypatch.setenv('SLURM_ARRAY_TASK_ID', str(i))
        reproduce.main(command)
    assert len(set(training.trained)) == len(training.trained) == 4
    seeds = {place: row['seeds'] for place, row in rows('table1-small').items()}
    assert seeds['FERPlus, 30 %', 'Baseline'] == seeds['FERPlus, 30 %', 'EAC'] == '2'


def test_other_settings_are_refused(reproduce, training):
    command = ['table1', *SMALL]
    reproduce.main([*command, '--cfg-options', 'train_cfg.max_epochs=3'])
    for more in ([], ['--dry-run'], ['--amp']):
        with pytest.raises(ValueError, match='of other settings') as error:
            reproduce.main([*command, *more])
        assert '\n  length: 3 -> 30\n' in str(error.value)
    # nor do they stand beside the rows that are there
    with pytest.raises(ValueError, match='cannot stand in one table'):
        reproduce.main(['table1', '--protocol', 'small', '--noise', '10'])
    assert len(training.trained) == 2
    assert reproduce.main(['--report']) == 0
    page = Path('docs/results/table1-small.md').read_text()
    assert '--seeds 1 --cfg-options train_cfg.max_epochs=3`' in page


def test_a_clean_checkout_rebuilds_its_pages(reproduce, training):
    reproduce.main(['table1', *SMALL, '--seeds', '2'])
    before = contents('docs/results')
    shutil.rmtree('work_dirs')
    for path in Path('docs/results').glob('*.*'):
        path.unlink()
    training.trained.clear()
    assert reproduce.main(['--report', 'table1']) == 0
    assert contents('docs/results') == before
    assert len([name for name in before if '/runs/' in name]) == 2 * 2
    # and has no run to repeat
    assert reproduce.main(['table1', *SMALL, '--seeds', '2']) == 0
    assert training.trained == []
    assert contents('docs/results') == before


def test_runs_of_plain_trainings_are_taken(reproduce, training):
    """Those that tools/train.py left in the folders of a plan."""
    (cell,) = reproduce.wanted_cells(
        load_tables(reproduce.TABLES),
        reproduce.parse_args(['table1', *SMALL, '--methods', 'eac']),
    )['table1']
    write_result(cell.runs[0], result_of(cell.runs[0], 66.0))
    assert reproduce.main(['--report', 'table1']) == 0
    assert training.trained == []
    assert rows('table1-small')['FERPlus, 30 %', 'EAC']['last5_mean'] == '66.0'


def test_a_recipe_that_changed_since_is_named(reproduce, training):
    reproduce.main(['table1', *SMALL, '--methods', 'eac'])
    (path,) = Path('docs/results/runs').rglob('*.json')
    record = json.loads(path.read_text())
    record['identity']['settings']['model']['head']['consistency_weight'] = 3.0
    path.write_text(json.dumps(record))
    before = contents('docs/results')
    with pytest.raises(ValueError, match=r'(?s)of other settings.*Fix: ') as error:
        reproduce.main(['--report'])
    assert str(path) in str(error.value)
    assert 'model.head.consistency_weight: 3.0 -> not set' in str(error.value)
    assert contents('docs/results') == before


def test_tables_without_a_run_are_left_alone(reproduce, training, capsys):
    Path('docs/results').mkdir(parents=True)
    Path('docs/results/table1-small.md').write_text('of older runs')
    assert reproduce.main(['--report']) == 0
    assert 'No run is finished' in capsys.readouterr().out
    assert Path('docs/results/table1-small.md').read_text() == 'of older runs'


def test_committed_pages_are_those_of_their_records(reproduce, monkeypatch):
    monkeypatch.setattr(reproduce, 'TABLES', ROOT / 'configs/paper_tables.yml')
    shutil.copytree(ROOT / 'docs' / 'results', 'docs/results')
    assert reproduce.main(['--report']) == 0
    for path in Path('docs/results').glob('*.*'):
        if path.suffix in ('.md', '.csv'):
            assert path.read_text() == (ROOT / path).read_text(), path


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
        (['table2', '--protocol', 'small'], 'small: table1 table3 table6 lambda'),
        (['table1', '--shard', '3/2'], '--shard 3/2'),
        (['table1', '--seeds', '0'], '--seeds 0'),
        (['--report', '--rows', 'EAC', '--noise', '30'], 'with --noise --rows.* Fix:'),
        (['--report', 'table9'], 'table table9 is unknown'),
    ],
)
def test_what_cannot_be_is_refused(reproduce, training, command, message):
    with pytest.raises(ValueError, match=message):
        reproduce.main(command)
    assert training.trained == []
