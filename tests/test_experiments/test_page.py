import json
import shutil

import pytest
from results import result_of, write_result

from eac_mm.experiments import Page


@pytest.fixture
def page(book, plan_of, tmp_path):
    """The page of a table from what is finished."""

    def build(name, protocol='full'):
        table = book.tables[name]
        cells = plan_of(protocol).finished(table.entries[protocol])
        return Page(book, table, cells, protocol, 'the command', tmp_path / 'out')

    return build


def test_page(page, cells, tmp_path):
    base, eac = cells('one')
    for run in (base.runs[0], *eac.runs):
        result = result_of(run, 80.0 + run.seed)
        result['sessions'][0].update(machine=f'box {run.seed % 2}', code='commit 1')
        write_result(run, result)
    printed = page('one').write()
    text = (tmp_path / 'out' / 'one.md').read_text()
    assert text.startswith('# First\n\nTwo methods.\n')
    for line in (
        '- reproduced by `the command`',
        '- protocol: **full**. The long one.',
        '- data: RAF-DB',
        '- runs: 4, each a file in [runs/full](runs/full)',
        '- not run: nothing',
        '- weights at the start: random',
        '- code: commit 1',
        '- machine: box 0 / box 1',
        '- precision: float32',
        '![First](one.png)',
    ):
        assert line in text.splitlines()
    assert '| R | EAC | 3 | 81.00 ± 1.00 |' in printed
    assert '| +0.00 (1 seed) |' in printed
    figures, costs, notes = printed.split('\n\n')[1:]
    assert figures in text
    assert f'## Cost\n\n{costs}\n\n{notes}\n' in text
    assert 'Over the baseline (Base): the mean' in text
    assert 'only this mean is compared with the paper' in text
    assert 'Runs from random weights do not compare' in text
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == ['one.csv', 'one.md', 'one.png', 'runs']


def test_a_page_is_rebuilt_from_its_records_alone(page, cells, finish, tmp_path):
    for cell in cells('one'):
        for run in cell.runs:
            finish(run, 80.0 + run.seed, **{'noise/memorised': 12.5})
    page('one').write()
    out = tmp_path / 'out'
    before = {path.name: path.read_bytes() for path in out.glob('one.*')}
    assert len(before) == 3
    assert len(list(out.glob('runs/full/*/*/seed*.json'))) == 6
    shutil.rmtree(tmp_path / 'runs')  # where they were trained
    for name in before:
        (out / name).unlink()
    page('one').write()
    assert {path.name: path.read_bytes() for path in out.glob('one.*')} == before


def test_what_was_not_run_is_named(page, cells, finish, tmp_path):
    finish(cells('one')[1].runs[0], 80.0)
    page('one').write()
    text = (tmp_path / 'out' / 'one.md').read_text()
    assert '- not run: R: Base\n' in text
    assert '| R | Base | 0 | - |' in text


def test_protocols_are_never_mixed(page, cells, finish, tmp_path):
    for cell in cells('one'):
        for run in cell.runs:
            finish(run, 80.0)
    page('one').write()
    full = (tmp_path / 'out' / 'one.md').read_text()
    page('one', 'small').write()
    small = (tmp_path / 'out' / 'one-small.md').read_text()
    assert (tmp_path / 'out' / 'one.md').read_text() == full
    assert 'First, small protocol' in small
    assert '80.00' in full
    assert '80.00' not in small
    assert 'No difference is given' in small


@pytest.mark.parametrize(
    ('part', 'key', 'other', 'mixed'),
    [
        ('val', 'names', 'b', True),
        ('train', 'labels', 'b', True),
        ('train', 'labels', None, False),  # not known is not another
    ],
)
def test_runs_of_other_data_are_not_compared(page, cells, part, key, other, mixed):
    base, eac = (cell.runs[0] for cell in cells('one', seeds=1))
    for run, value in ((base, 'a'), (eac, other)):
        result = result_of(run, 80.0)
        result['identity']['data'][part][key] = value
        write_result(run, result)
    if mixed:
        with pytest.raises(ValueError, match=f'their {part} data differ in {key}. Fix'):
            page('one').write()
        assert not base.record.exists()
    else:
        page('one').write()


def test_seeds_may_have_noise_of_their_own(page, cells):
    for cell in cells('one', seeds=2):
        for run in cell.runs:
            result = result_of(run, 80.0)
            result['identity']['data']['train']['labels'] = f'noise {run.seed}'
            write_result(run, result)
    page('one').write()


def test_what_a_result_does_not_say_is_not_noted(page, cells, tmp_path):
    run = cells('one')[0].runs[0]
    result = result_of(run, 80.0)
    del result['sessions'], result['start'], result['measures']
    write_result(run, result)
    page('one').write()
    lines = (tmp_path / 'out' / 'one.md').read_text().splitlines()
    assert '- weights at the start: not noted' in lines
    assert '- machine: not noted' in lines
    assert 'sessions' not in json.loads(run.record.read_text())


def test_short_runs_are_said(page, cells, tmp_path):
    for cell in cells('one'):
        for run in cell.runs:
            write_result(run, dict(result_of(run, 80.0), last=2))
    page('one').write()
    assert 'theirs is the mean of [2]' in (tmp_path / 'out' / 'one.md').read_text()


@pytest.mark.parametrize(
    ('epochs', 'said'), [([6, 7, 8, 9, 10], False), ([8, 10], True)]
)
def test_epochs_that_were_not_validated_are_said(page, cells, tmp_path, epochs, said):
    for cell in cells('one'):
        for run in cell.runs:
            result = result_of(run, 80.0)
            epochs_of = [dict(result['epochs'][0], epoch=epoch) for epoch in epochs]
            write_result(run, dict(result, epochs=epochs_of, last=len(epochs)))
    page('one').write()
    text = (tmp_path / 'out' / 'one.md').read_text()
    assert ('not validated after each of their last epochs' in text) == said
