"""A table with all that belongs to it: Markdown page, csv file, picture."""

from pathlib import Path

from eac_mm.utils.files import write_atomically

from . import machine
from .plans import Cell
from .plot import picture
from .report import LAST, Record, as_csv, as_markdown, records
from .runs import Run
from .tables import PaperTables, Table

NOTES = """\
In percent; mean ± sample standard deviation over the training seeds, and the 95 % \
interval of that mean (Student's t). The mean of the last {last} epochs is what the \
paper reports, and {compared}. The best epoch is chosen on the images that it is \
measured on: it is no result, and shows what was lost by the end. Of the wrongly \
labelled training images, the network memorised those for which it predicts the wrong \
label, and corrected those for which it predicts the clean one. Minutes: the median \
run."""
COMPARED = 'it alone is compared with the paper'
NOT_COMPARED = (
    "stands beside the paper's for orientation alone: no difference is given, for one "
    'between two protocols means nothing'
)

RANDOM = (
    " Runs from random weights do not compare with the paper's, which start from "
    'weights of face recognition or ImageNet (of Table 5 it does not say).'
)


def _page(
    book: PaperTables,
    table: Table,
    cells: list[Cell],
    rows: list[Record],
    protocol: str,
    command: str,
    title: str,
    image: str,
) -> str:
    runs: list[Run] = list(dict.fromkeys(run for cell in cells for run in cell.runs))
    finished = {run: result for run in runs if (result := run.result())}
    weights = sorted({run.settings().get('load_from') or 'random' for run in finished})
    machines = {line: None for run in finished for line in machine.noted(run.work_dir)}
    names = dict.fromkeys(book.data[cell.entry.data]['name'] for cell in cells)
    compared = COMPARED if protocol == 'full' else NOT_COMPARED
    if not any(cell.entry.paper for cell in cells):
        compared = 'it gives none of these'
    notes = NOTES.format(last=LAST, compared=compared)
    lasts = sorted({result['last'] for result in finished.values()} - {LAST})
    if lasts:
        notes += f' Some runs had fewer epochs: theirs is the mean of {lasts}.'
    if protocol == 'full' and 'random' in weights:
        notes += RANDOM
    return f"""\
# {title}

{table.caption}

- made again by `{command}`
- protocol: **{protocol}**. {book.protocols[protocol]}
- data: {', '.join(names)}
- training seeds: {', '.join(str(s) for s in sorted({run.seed for run in runs}))}; \
{len(finished)} of {len(runs)} runs are finished
- weights at the start: {', '.join(weights) or 'no run yet'}
- machine: {' / '.join(machines) or 'not noted'}

![{title}]({image})

{as_markdown(table, rows)}

{notes}
"""


def write_page(
    book: PaperTables,
    table: Table,
    cells: list[Cell],
    protocol: str,
    command: str,
    out: Path,
) -> str:
    """Write ``<table>.md``, ``.csv`` and ``.png``, each protocol's under its name.

    Args:
        book: What the table is from.
        table: The table.
        cells: Its cells, or those of them that were asked for.
        protocol: Whose entries the cells are.
        command: What makes the page again.
        out: Folder of the three files.

    Returns:
        The figures as a Markdown table, below the page's name.
    """
    stem = table.name if protocol == 'full' else f'{table.name}-{protocol}'
    title = table.title if protocol == 'full' else f'{table.title}, {protocol} protocol'
    rows = records(table, cells, protocol)
    text = _page(book, table, cells, rows, protocol, command, title, f'{stem}.png')
    write_atomically(out / f'{stem}.csv', as_csv(rows).encode())
    write_atomically(out / f'{stem}.png', picture(table, rows, title))
    write_atomically(out / f'{stem}.md', text.encode())
    return f'{out / stem}.md\n\n{as_markdown(table, rows)}'
