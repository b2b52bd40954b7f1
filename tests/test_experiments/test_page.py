import pytest

from eac_mm.experiments import FewerResults, Page
from eac_mm.experiments.page import losses
from eac_mm.experiments.report import records


def write(book, name, cells, protocol, out):
    return Page(book, book.tables[name], cells, protocol, 'the command', out).write()


def test_page(book, cells, finish, tmp_path):
    base, eac = cells('one')
    for run in (*base.runs[:1], *eac.runs):
        finish(run, 80.0 + run.seed)
        (run.work_dir / 'machine.txt').write_text(f'box {run.seed % 2}\n')
    printed = write(book, 'one', [base, eac], 'full', tmp_path / 'out')
    text = (tmp_path / 'out' / 'one.md').read_text()
    assert text.startswith('# First\n\nTwo methods.\n')
    for line in (
        '- reproduced by `the command`',
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
    assert 'only this mean is compared with the paper' in text
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
    assert 'No difference is given' in small


def test_short_runs_are_said(book, cells, finish, tmp_path):
    runs = [run for cell in cells('one') for run in cell.runs]
    for run in runs:
        finish(run, 80.0)
        path = run.work_dir / 'result.json'
        path.write_text(path.read_text().replace('"last": 5', '"last": 2'))
    write(book, 'one', cells('one'), 'full', tmp_path)
    assert 'theirs is the mean of [2]' in (tmp_path / 'one.md').read_text()


class TestNoResultIsLost:
    """A table of three seeds each, and what would replace it."""

    @pytest.fixture(autouse=True)
    def existing(self, book, cells, finish, tmp_path):
        self.book, self.cells, self.finish = book, cells, finish
        self.out = tmp_path / 'out'
        for cell in cells('one'):
            for run in cell.runs:
                finish(run, 80.0)
        write(book, 'one', cells('one'), 'full', self.out)
        self.before = self.contents()

    def contents(self):
        return {path.name: path.read_bytes() for path in self.out.iterdir()}

    def page(self, cells):
        return Page(self.book, self.book.tables['one'], cells, 'full', 'c', self.out)

    def remove(self, run):
        (run.work_dir / 'result.json').unlink()

    def refuse(self, cells, *lines):
        with pytest.raises(FewerResults) as error:
            self.page(cells).write()
        assert str(error.value).splitlines()[1:-1] == [f'  {line}' for line in lines]
        assert '--out' in str(error.value).splitlines()[-1]
        assert self.contents() == self.before

    def test_a_fresh_clone_has_no_runs(self):
        for cell in self.cells('one'):
            for run in cell.runs:
                self.remove(run)
        self.refuse(
            self.cells('one'),
            'R | Base | accuracy: finished seeds: 3 in the file, 0 in the new table',
            'R | EAC | accuracy: finished seeds: 3 in the file, 0 in the new table',
        )

    def test_one_row_is_enough(self):
        self.remove(self.cells('one')[1].runs[2])
        line = 'R | EAC | accuracy: finished seeds: 3 in the file, 2 in the new table'
        self.refuse(self.cells('one'), line)

    def test_a_row_that_was_not_asked_for_counts(self):
        line = 'R | EAC | accuracy: finished seeds: 3 in the file, 0 in the new table'
        self.refuse(self.cells('one')[:1], line)

    def test_more_seeds_of_one_row_do_not_make_up_for_another(self):
        base, _ = self.cells('one', seeds=4)
        _, eac = self.cells('one', seeds=2)
        self.finish(base.runs[3], 80.0)
        line = 'R | EAC | accuracy: finished seeds: 3 in the file, 2 in the new table'
        self.refuse([base, eac], line)

    def test_a_figure_does_not_become_a_blank(self):
        line = ': finished seeds: 3 in the file, 3 in the new table'
        lines = [f'R | {row} | accuracy{line}' for row in ('Base', 'EAC')]
        self.refuse(self.cells('one', seeds=4), *lines)

    def test_the_plan_is_checked_before_anything_runs(self):
        with pytest.raises(FewerResults, match='finished seeds: 3 in the file, 1 in'):
            self.page(self.cells('one', seeds=1)).check_plan()
        self.page(self.cells('one', seeds=4)).check_plan()

    def test_as_many_or_more_are_written(self):
        self.page(self.cells('one')).write()
        more = self.cells('one', seeds=4)
        for cell in more:
            self.finish(cell.runs[3], 84.0)
        self.page(more).write()
        assert '81.00' in self.contents()['one.md'].decode()

    def test_another_folder_is_free(self, tmp_path):
        other = tmp_path / 'other'
        write(self.book, 'one', self.cells('one', seeds=1), 'full', other)
        assert (other / 'one.csv').is_file()


def test_a_file_of_another_kind_is_not_replaced(book, cells, tmp_path):
    (tmp_path / 'one.csv').write_text('name,value\na,1\n')
    rows = records(book.tables['one'], cells('one'), 'full')
    with pytest.raises(ValueError, match=r"one.csv is not a table .*'seeds'.*Fix:"):
        losses(tmp_path / 'one.csv', rows)
