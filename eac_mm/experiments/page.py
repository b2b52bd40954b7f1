"""Write a table and what belongs to it: Markdown page, csv file, picture."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from eac_mm.utils.files import write_atomically

from .plans import Cell
from .plot import picture
from .recalls import recall_table
from .report import LAST, as_csv, as_markdown, baselines, records
from .runs import Run
from .spending import cost_table
from .tables import PaperTables, Table

# Of each session in a result: what the page names.
SESSION = ('code', 'machine', 'precision')
NOTES = """\
In percent: mean ± sample standard deviation over the training seeds, \
and the 95 % interval of that mean (Student's t). The mean of the last {last} epochs \
is what the paper reports; {compared}. Mean class accuracy is the mean of the \
classes' recalls, and macro F1 that of their F1, over the same epochs.{paired} The \
best epoch is chosen on the images that it is measured on: it is not a result, and \
shows what was lost by the end. Of the training images with a wrong label, the network \
memorised those for which it predicts the wrong label, and corrected those for which \
it predicts the clean label. Minutes: the median run."""
PAIRED = """ \
Over the baseline ({names}): the mean ± deviation of the differences between runs of \
the same seed."""
COMPARED = 'only this mean is compared with the paper'
NOT_COMPARED = (
    "the paper's figures are shown for orientation only. No difference is given, "
    'because the two protocols differ'
)
NO_FIGURES = 'it gives no figures for these runs'
RANDOM = (
    " Runs from random weights do not compare with the paper's, which start from "
    'weights of face recognition or ImageNet (for Table 5 it does not say).'
)


@dataclass(frozen=True)
class Page:
    """A table of one protocol, and where it is written.

    Args:
        book: The tables that it is from.
        table: The table.
        cells: All of its cells, each with its finished runs.
        protocol: Whose entries the cells are.
        command: The command that reproduces the page.
        out: Folder of the three files.
    """

    book: PaperTables
    table: Table
    cells: list[Cell]
    protocol: str
    command: str
    out: Path

    @property
    def stem(self) -> str:
        """Name of the three files without their endings, one for each protocol."""
        name = self.table.name
        return name if self.protocol == 'full' else f'{name}-{self.protocol}'

    @property
    def title(self) -> str:
        """Title of page and picture."""
        title = self.table.title
        return (
            title if self.protocol == 'full' else f'{title}, {self.protocol} protocol'
        )

    @cached_property
    def results(self) -> dict[Run, dict]:
        """The result of each run."""
        runs = dict.fromkeys(run for cell in self.cells for run in cell.runs)
        return {run: run.result() for run in runs}

    def write(self) -> str:
        """Write ``.md``, ``.csv`` and ``.png``, and return the Markdown tables.

        Runs that have no record yet get one: the page can be rebuilt from these.

        Raises:
            ValueError: If runs that are compared have different data.
        """
        self._refuse_mixed_data()
        for run in self.results:
            run.collect()
        rows = records(self.table, self.cells, self.protocol)
        figures = as_markdown(self.table, rows)
        path = self.out / self.stem
        write_atomically(path.with_suffix('.csv'), as_csv(rows).encode())
        write_atomically(
            path.with_suffix('.png'), picture(self.table, rows, self.title)
        )
        costs = cost_table(self.table, self.cells)
        parts = [self._head(rows), figures, self._notes()]
        parts += ['## Cost', costs] if costs else []
        recalls = recall_table(self.table, self.cells)
        parts += ['## Recall of each class', recalls] if recalls else []
        text = '\n\n'.join(parts) + '\n'
        write_atomically(path.with_suffix('.md'), text.encode())
        shown = [path.with_suffix('.md'), figures, *([costs] if costs else [])]
        return '\n\n'.join(map(str, shown))

    def _refuse_mixed_data(self) -> None:
        """Compare the fingerprints of what stands in one column.

        All of a data set are measured on the same images, and the runs of a column
        and seed train on the same images and labels.
        """
        known: dict[tuple, tuple[Run, dict]] = {}
        for cell in self.cells:
            for run in cell.runs:
                data = (self.results[run].get('identity') or {}).get('data') or {}
                places = dict(val=cell.entry.data, train=(cell.entry.column, run.seed))
                for part, now in data.items():
                    other, then = known.setdefault((part, places[part]), (run, now))
                    keys = [
                        key
                        for key, value in now.items()
                        if None not in (value, then.get(key)) and value != then[key]
                    ]
                    if keys:
                        raise ValueError(
                            f'{run.record} and {other.record} cannot stand in one '
                            f'table: their {part} data differ in {", ".join(keys)}. '
                            'Fix: remove the record of the wrong data, and train '
                            'that run again.'
                        )

    def _head(self, rows: pd.DataFrame) -> str:
        book, results = self.book, self.results.values()
        names = {book.data[cell.entry.data]['name']: None for cell in self.cells}
        missing = rows[(rows['seeds'] == 0) & ~rows.duplicated(['column', 'row'])]
        lacking = [f'{row.column}: {row.row}' for row in missing.itertuples()]
        parts = [
            f'reproduced by `{self.command}`',
            f'protocol: **{self.protocol}**. {book.protocols[self.protocol]}',
            f'data: {", ".join(names)}',
            f'runs: {len(results)}, each a file in '
            f'[runs/{self.protocol}](runs/{self.protocol})',
            f'not run: {"; ".join(lacking) or "nothing"}',
            f'weights at the start: {" / ".join(self._starts())}',
            *(f'{name}: {self._noted(name)}' for name in SESSION),
        ]
        lines = '\n'.join(f'- {part}' for part in parts)
        return (
            f'# {self.title}\n\n{self.table.caption}\n\n{lines}\n\n'
            f'![{self.title}]({self.stem}.png)'
        )

    def _starts(self) -> list[str]:
        starts = [result.get('start') for result in self.results.values()]
        shown = ['not noted' if s is None else ', '.join(s) or 'random' for s in starts]
        return sorted(set(shown))

    def _noted(self, name: str) -> str:
        sessions = [s for r in self.results.values() for s in r.get('sessions') or ()]
        noted = {str(session[name]) for session in sessions}
        return ' / '.join(sorted(noted)) or 'not noted'

    def _notes(self) -> str:
        compared = COMPARED if self.protocol == 'full' else NOT_COMPARED
        if not any(cell.entry.paper for cell in self.cells):
            compared = NO_FIGURES
        found = baselines(self.table, self.cells).values()
        names = dict.fromkeys(self.cells[number].entry.row for number in found)
        paired = PAIRED.format(names='; '.join(names)) if names else ''
        notes = NOTES.format(last=LAST, compared=compared, paired=paired)
        lasts = sorted({r['last'] for r in self.results.values()} - {LAST})
        if lasts:
            notes += f' Some runs had fewer epochs: theirs is the mean of {lasts}.'
        if any(map(_has_gaps, self.results.values())):
            notes += (
                ' Some runs were not validated after each of their last epochs: theirs '
                'is the mean of their last validations.'
            )
        if self.protocol == 'full' and 'random' in self._starts():
            notes += RANDOM
        return notes


def _has_gaps(result: dict) -> bool:
    """Whether epochs are missing between those that the mean is of."""
    last = [epoch.get('epoch', 0) for epoch in result['epochs'][-result['last'] :]]
    return last[-1] - last[0] >= len(last)
