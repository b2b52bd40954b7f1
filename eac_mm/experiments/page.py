"""Write a table and what belongs to it: Markdown page, csv file, picture."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from eac_mm.utils.files import write_atomically

from .plans import Cell
from .plot import picture
from .report import LAST, as_csv, as_markdown, records
from .runs import Run
from .tables import PaperTables, Table

NOTES = """\
In percent: mean ± sample standard deviation over the training seeds, \
and the 95 % interval of that mean (Student's t). The mean of the last {last} epochs \
is what the paper reports; {compared}. Mean class accuracy is the mean of the \
classes' recalls, and macro F1 that of their F1, over the same epochs. The best epoch \
is chosen on the images that it is measured on: it is not a result, and shows what \
was lost by the end. Of the training images with a wrong label, the network memorised \
those for which it predicts the wrong label, and corrected those for which it \
predicts the clean label. Minutes: the median run."""
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


class FewerResults(ValueError):
    """A table would replace one that has more results."""


@dataclass(frozen=True)
class Page:
    """A table of one protocol, and where it is written.

    Args:
        book: The tables that it is from.
        table: The table.
        cells: Its cells, or those of them that were asked for.
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

    @property
    def runs(self) -> list[Run]:
        """The runs of all cells, each once."""
        return list(dict.fromkeys(run for cell in self.cells for run in cell.runs))

    def records(self) -> pd.DataFrame:
        """Return what the runs have measured so far."""
        return records(self.table, self.cells, self.protocol)

    def unfinished(self) -> list[Run]:
        """Return the runs that have no result yet."""
        return [run for run in self.runs if run.result() is None]

    def show(self) -> str:
        """Return the table as Markdown."""
        return as_markdown(self.table, self.records())

    def check_plan(self) -> None:
        """Refuse a plan whose table, once finished, would replace a larger one.

        Raises:
            FewerResults: With the rows that would lose seeds.
        """
        planned = self.records()
        planned['seeds'] = planned['seeds_planned']
        planned['last5_mean'] = 0.0  # any figure: all seeds are finished then
        self._refuse_losses(planned)

    def write(self) -> str:
        """Write ``.md``, ``.csv`` and ``.png``, and return the Markdown table.

        Raises:
            FewerResults: If the existing csv file has results that the new one lacks;
                nothing is written then.
        """
        rows = self.records()
        self._refuse_losses(rows)
        figures = as_markdown(self.table, rows)
        path = self.out / self.stem
        write_atomically(path.with_suffix('.csv'), as_csv(rows).encode())
        write_atomically(
            path.with_suffix('.png'), picture(self.table, rows, self.title)
        )
        text = f'{self._head()}\n\n{figures}\n\n{self._notes()}\n'
        write_atomically(path.with_suffix('.md'), text.encode())
        return f'{path.with_suffix(".md")}\n\n{figures}'

    def _refuse_losses(self, rows: pd.DataFrame) -> None:
        path = self.out / f'{self.stem}.csv'
        lost = losses(path, rows) if path.is_file() else []
        if lost:
            raise FewerResults(
                f'{path} has results that the new table would lose:\n  '
                + '\n  '.join(lost)
                + '\nIt is left as it is. Fix: run what is missing (this table '
                'without --report, with as many --seeds and without --data, --noise, '
                '--methods and --rows), or write to another folder with --out.'
            )

    def _head(self) -> str:
        finished = [run for run in self.runs if run.result()]
        starts = {run.settings().get('load_from') or 'random' for run in finished}
        noted = [line for run in finished for line in run.machines()]
        names = {self.book.data[cell.entry.data]['name']: None for cell in self.cells}
        seeds = sorted({run.seed for run in self.runs})
        return f"""\
# {self.title}

{self.table.caption}

- reproduced by `{self.command}`
- protocol: **{self.protocol}**. {self.book.protocols[self.protocol]}
- data: {', '.join(names)}
- training seeds: {', '.join(map(str, seeds))}; \
{len(finished)} of {len(self.runs)} runs are finished
- weights at the start: {', '.join(sorted(starts)) or 'no run yet'}
- machine: {' / '.join(dict.fromkeys(noted)) or 'not noted'}

![{self.title}]({self.stem}.png)"""

    def _notes(self) -> str:
        finished = {run: result for run in self.runs if (result := run.result())}
        compared = COMPARED if self.protocol == 'full' else NOT_COMPARED
        if not any(cell.entry.paper for cell in self.cells):
            compared = NO_FIGURES
        notes = NOTES.format(last=LAST, compared=compared)
        lasts = sorted({result['last'] for result in finished.values()} - {LAST})
        if lasts:
            notes += f' Some runs had fewer epochs: theirs is the mean of {lasts}.'
        from_random = any(not run.settings().get('load_from') for run in finished)
        if self.protocol == 'full' and from_random:
            notes += RANDOM
        return notes


def losses(path: Path, rows: pd.DataFrame) -> list[str]:
    """List the rows of a csv file that have more results than new records.

    A row loses if it has fewer finished seeds, or no figure any more because more
    seeds are planned than are finished.

    Args:
        path: A csv file of :func:`eac_mm.experiments.report.as_csv`.
        rows: The new records.

    Raises:
        ValueError: If the file is no such table.
    """
    place = ['column', 'row', 'metric']
    old = pd.read_csv(path, dtype=dict.fromkeys(place, str))
    needed = [*place, 'seeds', 'last5_mean']
    if not set(needed) <= set(old):
        raise ValueError(
            f'{path} is not a table of tools/reproduce.py: it lacks the columns '
            f'{sorted(set(needed) - set(old))}. Fix: move it, or give another --out.'
        )
    both = old[needed].merge(rows[needed], 'left', place, suffixes=('', '_new'))
    both['seeds_new'] = both['seeds_new'].fillna(0).astype(int)
    fewer = both['seeds_new'] < both['seeds']
    blank = both['last5_mean'].notna() & both['last5_mean_new'].isna()
    return [
        f'{" | ".join(row[name] for name in place)}: finished seeds: '
        f'{row["seeds"]} in the file, {row["seeds_new"]} in the new table'
        for row in both[fewer | blank].to_dict('records')
    ]
