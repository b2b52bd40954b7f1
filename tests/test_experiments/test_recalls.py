from results import result_of, write_result

from eac_mm.experiments.recalls import recall_table


def finish(run, recalls):
    write_result(run, dict(result_of(run, 80.0), last_by_class=recalls))


def test_recalls_are_means_over_the_seeds_that_have_them(book, cells):
    base, eac = cells('one')
    for run, sad in zip(base.runs, (10.0, 20.0, 60.0), strict=True):
        finish(run, dict(happy=90.0, sad=sad))
    finish(eac.runs[0], None)  # as before recalls were recorded
    finish(eac.runs[1], dict(happy=80.0, sad=35.25))
    text = recall_table(book.tables['one'], [base, eac])
    lines = [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in text.splitlines()
        if line.startswith('|')
    ]
    assert lines[0] == ['data and noise', 'method', 'seeds', 'happy', 'sad']
    assert lines[2:] == [
        ['R', 'Base', '3', '90.0', '30.0'],
        ['R', 'EAC', '1', '80.0', '35.2'],
    ]


def test_other_classes_have_a_table_of_their_own(book, cells):
    base, eac = cells('one')
    finish(base.runs[0], dict(happy=90.0))
    finish(eac.runs[0], dict(cat=50.0))
    text = recall_table(book.tables['one'], [base, eac])
    assert '| seeds | happy |' in text and '| seeds | cat |' in text


def test_without_recalls_there_is_no_table(book, cells):
    base, eac = cells('one')
    finish(base.runs[0], None)
    assert recall_table(book.tables['one'], [base, eac]) == ''
