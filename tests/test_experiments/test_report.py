import csv
import io
from math import isnan, nan

import pandas as pd
import pytest

from eac_mm.experiments import Cell, Entry, Table, markdown_table
from eac_mm.experiments.report import (
    as_csv,
    as_markdown,
    baselines,
    measured,
    records,
    show_spread,
    summarise,
)


def parse(text):
    lines = [[c.strip() for c in line.split('|')[1:-1]] for line in text.splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def test_markdown_table():
    text = markdown_table(['a', 'b'], [['x', 1], ('', 2.5)])
    assert text == '| a | b |\n| --- | --- |\n| x | 1 |\n|  | 2.5 |'
    assert markdown_table(['a'], []) == '| a |\n| --- |'


def test_three_seeds_by_hand():
    # 84, 85, 87: mean 256 / 3; squares 16/9 + 1/9 + 25/9 = 42/9; variance 7/3;
    # t(0.975, 2) = 4.302653, so that the interval is 85.33 -+ 4.302653 sqrt(7) / 3
    values = pd.DataFrame(dict(cell=['b', 'b', 'a', 'b'], x=[84.0, 85.0, 60.0, 87.0]))
    found = summarise(values, ['cell'])
    assert list(found.index) == ['b', 'a']
    b = found.loc['b']
    assert b['mean', 'x'] == pytest.approx(256 / 3)
    assert b['sd', 'x'] == pytest.approx(1.527525)
    assert b['low', 'x'] == pytest.approx(256 / 3 - 3.794583, abs=1e-5)
    assert b['high', 'x'] == pytest.approx(256 / 3 + 3.794583, abs=1e-5)
    assert show_spread(b['mean', 'x'], b['sd', 'x']) == '85.33 ± 1.53'
    a = found.loc['a']  # a single run has no deviation
    assert a['mean', 'x'] == 60.0
    assert all(isnan(a[part, 'x']) for part in ('sd', 'low', 'high'))
    assert show_spread(a['mean', 'x'], a['sd', 'x']) == '60.00'


def test_missing_values_are_not_averaged():
    values = pd.DataFrame(dict(cell=[0, 0], x=[84.0, nan], y=[1.0, 3.0]))
    found = summarise(values, ['cell']).loc[0]
    assert all(isnan(found[part, 'x']) for part in ('mean', 'sd', 'low', 'high'))
    assert found['mean', 'y'] == 2.0
    assert show_spread(found['mean', 'x'], found['sd', 'x']) == '-'


@pytest.mark.parametrize('best', [dict(best_epoch=None), {}])
def test_figures_that_a_run_lacks(best):
    figures = measured(dict(last_mean={'accuracy/top1': 70}, seconds=90, **best))
    assert (figures['last5'], figures['minutes']) == (70.0, 1.5)
    assert all(isnan(figures[k]) for k in figures if k not in ('last5', 'minutes'))


@pytest.fixture
def finished(cells, finish):
    """Base lacks a seed; EAC has 84, 85, 87 at the end and 90, 91, 92 at best."""
    base, eac = cells('one')
    for run in base.runs[:2]:
        finish(run, 70.0 + 3 * run.seed, **{'mean_class/accuracy': 81.0})
    for run, last, best in zip(eac.runs, (84, 85, 87), (90, 91, 92), strict=True):
        noise = {'noise/memorised': 20.0, 'noise/corrected': 40.0 + run.seed}
        noise |= {'mean_class/accuracy': 80.0 + run.seed, 'mean_class/f1': 75.0}
        finish(run, last, best, 60.0 * (run.seed + 1), **noise)
    return [base, eac]


def test_last_epochs_and_best_epoch_are_kept_apart(book, finished):
    row = records(book.tables['one'], finished, 'full').iloc[1]
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
    assert row['seeds'] == 3


def test_markdown(book, finished):
    table = book.tables['one']
    base, eac = parse(as_markdown(table, records(table, finished, 'full')))
    assert eac == {
        'data and noise': 'R',
        'method': 'EAC',
        'seeds': '3',
        'mean of the last 5 epochs': '85.33 ± 1.53',
        'its 95 % interval': '81.54 to 89.13',
        # 84 - 70 and 85 - 73; 80 - 81 and 81 - 81: deviations of sqrt(2) and sqrt(1/2)
        'over the baseline': '+13.00 ± 1.41 (2 seeds)',
        'mean class accuracy': '81.00 ± 1.00',
        'mean class accuracy over the baseline': '-0.50 ± 0.71 (2 seeds)',
        'macro F1': '75.00 ± 0.00',
        'the paper': '84.42',
        'difference to the paper': '+0.91',
        'best epoch (peeks)': '91.00 ± 1.00',
        'memorised': '20.00 ± 0.00',
        'corrected': '41.00 ± 1.00',
        'minutes a run': '2.0',
    }
    assert base['mean of the last 5 epochs'] == '71.50 ± 2.12'
    assert (base['seeds'], base['over the baseline'], base['macro F1']) == (
        '2',
        '-',
        '-',
    )


def test_csv_is_read_back(book, finished):
    rows = records(book.tables['one'], finished, 'full')
    base, eac = csv.DictReader(io.StringIO(as_csv(rows)))
    assert float(eac['last5_mean']) == 85.3333
    assert float(eac['best_epoch_mean']) == 91.0
    assert (base['last5_mean'], base['difference'], base['seeds']) == (
        '71.5',
        '-4.0',
        '2',
    )
    assert (base['pairs'], base['gain_mean']) == ('0', '')
    assert (eac['pairs'], float(eac['gain_mean'])) == ('2', 13.0)
    assert float(eac['gain_sd']) == pytest.approx(2**0.5, abs=1e-4)
    assert float(eac['mean_class_gain_mean']) == -0.5
    assert base['paper'] == '75.5'


def test_small_has_no_difference(book, cells, finish):
    table = book.tables['one']
    (cell,) = cells('one', 'small')
    for run in cell.runs:
        finish(run, 60.0)
    rows = records(table, [cell], 'small')
    assert rows['paper_full_protocol'].tolist() == [84.42]
    assert not {'paper', 'difference'} & set(rows)
    (shown,) = parse(as_markdown(table, rows))
    assert shown['paper, full protocol on RAF-DB'] == '84.42'
    assert not {'the paper', 'difference to the paper'} & set(shown)


def test_each_metric_has_its_figure(book, cells, finish):
    table = book.tables['two']
    (cell,) = cells('two', seeds=1)
    finish(cell.runs[0], 61.0, best=63.0, **{'accuracy/top5': 88.0})
    rows = records(table, [cell], 'full')
    assert rows['metric'].tolist() == ['top-1', 'top-5']
    assert rows['difference'].tolist() == [1.0, -2.0]
    first, second = parse(as_markdown(table, rows))
    assert (first['metric'], second['metric']) == ('top-1', 'top-5')
    assert 'its 95 % interval' not in first  # one seed has none


def test_nothing_is_finished(book, cells):
    table = book.tables['one']
    for row in parse(as_markdown(table, records(table, cells('one'), 'full'))):
        assert row['mean of the last 5 epochs'] == '-'
        assert row['seeds'] == '0'


def test_gains_are_paired_by_seed(book, cells, finish):
    """Seeds 1 and 2 are shared; those of one alone do not count."""
    base, eac = cells('one', seeds=4)
    for run, last in zip(base.runs[:3], (10.0, 60.0, 70.0), strict=True):
        finish(run, last)
    for run, last in zip(eac.runs[1:], (62.0, 75.0, 99.0), strict=True):
        finish(run, last)
    row = records(book.tables['one'], [base, eac], 'full').iloc[1]
    assert row['pairs'] == 2
    assert row['gain_mean'] == 3.5  # of 2 and 5
    assert row['gain_sd'] == pytest.approx(4.5**0.5, abs=1e-4)
    # t(0.975, 1) = 12.706205, times sd / sqrt(2) = 1.5
    assert row['gain_low'] == pytest.approx(3.5 - 1.5 * 12.706205, abs=1e-3)


def test_a_row_is_compared_with_the_nearest_baseline_above_it():
    def cell(recipe, row, column='R'):
        return Cell(Entry(row, column, 'rafdb', 10, recipe), [])

    cells = [
        cell('baseline/m', 'M'),
        cell('eac/m', 'M + EAC'),
        cell('baseline/r', 'R'),
        cell('eac/r', 'R + EAC'),
        cell('eac/r', 'EAC', column='of another column'),
        cell('scn/r', 'SCN'),
    ]
    table = Table('t', 'T', 'C', {}, {})
    assert baselines(table, cells) == {1: 0, 3: 2, 5: 2}
    named = Table('t', 'T', 'C', {}, {}, baseline='M + EAC')
    assert baselines(named, cells) == {3: 2, 5: 2}


def test_a_gain_needs_the_figure_in_both(book, cells, finish):
    base, eac = cells('one', seeds=1)
    finish(base.runs[0], 60.0)  # from before mean class accuracy was measured
    finish(eac.runs[0], 61.0, **{'mean_class/accuracy': 55.0})
    row = records(book.tables['one'], [base, eac], 'full').iloc[1]
    assert row['gain_mean'] == 1.0
    assert isnan(row['mean_class_gain_mean'])
