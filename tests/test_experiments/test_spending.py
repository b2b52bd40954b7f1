from results import result_of, write_result

from eac_mm.experiments.spending import cost_table


def rows_of(text):
    lines = [line for line in text.splitlines() if line.startswith('| R')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


def finish(run, **cost):
    result = result_of(run, 80.0)
    write_result(run, dict(result, cost=cost) if cost else result)


def test_costs_are_the_median_of_ratios_of_one_seed(book, cells, configs):
    recipe = configs / 'eac/a_rafdb_x.py'
    recipe.write_text(recipe.read_text().replace(')', ', views=2)', 1))
    base, eac = cells('one')
    for run, seconds in zip(base.runs, (100.0, 100.0, 400.0), strict=True):
        finish(run, seconds=seconds, peak_memory=1000, parameters=10)
    for run, seconds in zip(eac.runs, (180.0, 150.0, 900.0), strict=True):
        finish(run, seconds=seconds, peak_memory=1200, parameters=11)
    (row,) = rows_of(cost_table(book.tables['one'], [base, eac]))
    assert row == ['R', 'EAC', '2', '1.80', '1.20', '1.10']  # of 1.8, 1.5 and 2.25


def test_what_was_not_recorded_is_missing(book, cells):
    base, eac = cells('one')
    finish(base.runs[0])  # as before costs were recorded
    finish(base.runs[1], seconds=100.0, peak_memory=None, parameters=10)
    finish(eac.runs[0], seconds=300.0, peak_memory=1200, parameters=11)
    finish(eac.runs[1], seconds=170.0, peak_memory=1200, parameters=11)
    finish(eac.runs[2], seconds=900.0)  # without a baseline of its seed
    (row,) = rows_of(cost_table(book.tables['one'], [base, eac]))
    assert row[2:] == ['1', '1.70', '-', '1.10']


def test_other_machines_and_precisions_are_not_compared(book, cells):
    base, eac = cells('one')
    other = [{}, dict(machine='H100'), dict(precision='bfloat16')]
    for run in base.runs:
        finish(run, seconds=100.0)
    for run, change in zip(eac.runs, other, strict=True):
        result = result_of(run, 80.0)
        result['sessions'][0].update(change)
        write_result(run, dict(result, cost=dict(seconds=150.0 + 10 * run.seed)))
    (row,) = rows_of(cost_table(book.tables['one'], [base, eac]))
    assert row[3] == '1.50'


def test_without_a_pair_there_is_no_table(book, cells):
    base, eac = cells('one')
    finish(base.runs[0])
    finish(eac.runs[1])
    assert cost_table(book.tables['one'], [base, eac]) == ''
