import cv2
import numpy as np
import pytest

from eac_mm.experiments.page import write_page
from eac_mm.experiments.plot import picture
from eac_mm.experiments.report import records


def write(book, name, cells, protocol, out):
    table = book.tables[name]
    return write_page(book, table, cells, protocol, 'the command', out)


def test_page(book, cells, finish, tmp_path):
    base, eac = cells('one')
    for run in (*base.runs[:1], *eac.runs):
        finish(run, 80.0 + run.seed)
        (run.work_dir / 'machine.txt').write_text(f'box {run.seed % 2}\n')
    printed = write(book, 'one', [base, eac], 'full', tmp_path / 'out')
    text = (tmp_path / 'out' / 'one.md').read_text()
    assert text.startswith('# First\n\nTwo methods.\n')
    for line in (
        '- made again by `the command`',
        '- protocol: **full**. The long one.',
        '- data: RAF-DB',
        '- training seeds: 0, 1, 2; 4 of 6 runs are finished',
        '- weights at the start: random',
        '- machine: box 0 / box 1',
        '![First](one.png)',
    ):
        assert line in text.splitlines()
    assert '| 1 of 3 seeds |' in printed
    assert printed.split('\n\n', 1)[1] in text
    assert 'it alone is compared with the paper' in text
    assert 'Runs from random weights do not compare' in text
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == ['one.csv', 'one.md', 'one.png']


def test_protocols_are_never_mixed(book, cells, finish, tmp_path):
    for cell in cells('one'):
        for run in cell.runs:
            finish(run, 80.0)
    write(book, 'one', cells('one'), 'full', tmp_path / 'out')
    full = (tmp_path / 'out' / 'one.md').read_text()
    write(book, 'one', cells('one', 'small'), 'small', tmp_path / 'out')
    small = (tmp_path / 'out' / 'one-small.md').read_text()
    assert (tmp_path / 'out' / 'one.md').read_text() == full
    assert 'First, small protocol' in small
    assert '80.00' in full
    assert '80.00' not in small
    assert 'no difference is given' in small


def test_short_runs_are_said(book, cells, finish, tmp_path):
    runs = [run for cell in cells('one') for run in cell.runs]
    for run in runs:
        finish(run, 80.0)
        path = run.work_dir / 'result.json'
        path.write_text(path.read_text().replace('"last": 5', '"last": 2'))
    write(book, 'one', cells('one'), 'full', tmp_path)
    assert 'theirs is the mean of [2]' in (tmp_path / 'one.md').read_text()


@pytest.mark.parametrize('seeds', [1, 3])
@pytest.mark.parametrize('done', [True, False])
@pytest.mark.parametrize('name', ['one', 'two', 'sweep'])
def test_picture(book, cells, finish, name, done, seeds):
    table_cells = cells(name, seeds=seeds)
    for run in [run for cell in table_cells for run in cell.runs if done]:
        finish(run, 80.0 + run.seed, **{'accuracy/top5': 95.0})
    table = book.tables[name]
    data = picture(table, records(table, table_cells, 'full'), 'A title')
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[0] > 200
    assert image.std() > 1
