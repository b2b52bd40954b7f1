import csv
import io

import pytest

from eac_mm.experiments.report import as_csv, as_markdown, records


def parse(text):
    lines = [[c.strip() for c in line.split('|')[1:-1]] for line in text.splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


@pytest.fixture
def finished(cells, finish):
    """Base lacks a seed; EAC has 84, 85, 87 at the end and 90, 91, 92 at best."""
    base, eac = cells('one')
    for run in base.runs[:2]:
        finish(run, 70.0)
    for run, last, best in zip(eac.runs, (84, 85, 87), (90, 91, 92), strict=True):
        noise = {'noise/memorised': 20.0, 'noise/corrected': 40.0 + run.seed}
        finish(run, last, best, 60.0 * (run.seed + 1), **noise)
    return [base, eac]


def test_last_epochs_and_best_epoch_are_kept_apart(book, finished):
    row = records(book.tables['one'], finished, 'full')[1]
    assert row['last5_mean'] == 85.3333
    assert row['last5_sd'] == 1.5275
    assert row['last5_low'] == pytest.approx(81.5388, abs=2e-4)
    assert row['last5_high'] == pytest.approx(89.1279, abs=2e-4)
    assert (row['best_epoch_mean'], row['best_epoch_sd']) == (91.0, 1.0)
    assert row['best_epoch_low'] == pytest.approx(91 - 4.302653 / 3**0.5, abs=1e-4)
    # 85.3333 - 84.42: the mean of the last epochs, never the best one
    assert (row['paper'], row['difference']) == (84.42, 0.9133)
    assert (row['memorised_mean'], row['corrected_mean']) == (20.0, 41.0)
    assert row['minutes'] == 2.0
    assert (row['seeds'], row['seeds_planned']) == (3, 3)


def test_markdown(book, finished):
    table = book.tables['one']
    base, eac = parse(as_markdown(table, records(table, finished, 'full')))
    assert eac == {
        'data and noise': 'R',
        'method': 'EAC',
        'seeds': '3',
        'mean of the last 5 epochs': '85.33 ± 1.53',
        'its 95 % interval': '81.54 to 89.13',
        'the paper': '84.42',
        'difference to the paper': '+0.91',
        'best epoch (peeks)': '91.00 ± 1.00',
        'memorised': '20.00 ± 0.00',
        'corrected': '41.00 ± 1.00',
        'minutes a run': '2.0',
    }
    assert base['mean of the last 5 epochs'] == '2 of 3 seeds'
    assert base['best epoch (peeks)'] == base['difference to the paper'] == '-'


def test_csv_is_read_back(book, finished):
    rows = records(book.tables['one'], finished, 'full')
    base, eac = csv.DictReader(io.StringIO(as_csv(rows)))
    assert float(eac['last5_mean']) == 85.3333
    assert float(eac['best_epoch_mean']) == 91.0
    assert (base['last5_mean'], base['difference'], base['seeds']) == ('', '', '2')
    assert base['paper'] == '75.5'


def test_small_has_no_difference(book, cells, finish):
    table = book.tables['one']
    (cell,) = cells('one', 'small')
    for run in cell.runs:
        finish(run, 60.0)
    rows = records(table, [cell], 'small')
    assert rows[0]['paper_full_protocol'] == 84.42
    assert not {'paper', 'difference'} & set(rows[0])
    (shown,) = parse(as_markdown(table, rows))
    assert shown['paper, full protocol on RAF-DB'] == '84.42'
    assert not {'the paper', 'difference to the paper'} & set(shown)


def test_each_metric_has_its_figure(book, cells, finish):
    table = book.tables['two']
    (cell,) = cells('two', seeds=1)
    finish(cell.runs[0], 61.0, best=63.0, **{'accuracy/top5': 88.0})
    rows = records(table, [cell], 'full')
    differences = [(row['metric'], row['difference']) for row in rows]
    assert differences == [('top-1', 1.0), ('top-5', -2.0)]
    first, second = parse(as_markdown(table, rows))
    assert (first['metric'], second['metric']) == ('top-1', 'top-5')
    assert 'its 95 % interval' not in first  # one seed has none


def test_nothing_is_finished(book, cells):
    table = book.tables['one']
    for row in parse(as_markdown(table, records(table, cells('one'), 'full'))):
        assert row['mean of the last 5 epochs'] == '-'
        assert row['seeds'] == '0'
