"""What finished runs recall of each class."""

from collections.abc import Iterable

import numpy as np

from .plans import Cell
from .report import markdown_table
from .tables import Table

NOTES = """\
Recall in percent after the last epoch, the mean over the seeds whose files have it."""


def recall_table(table: Table, cells: Iterable[Cell]) -> str:
    """Return Markdown tables of the recall of each class, one for each set of classes.

    Args:
        table: The table of the cells.
        cells: All of its cells, each with its finished runs.

    Returns:
        The tables with a note, ``''`` if no run has recorded recalls.
    """
    label = 'lambda' if table.log_axis else 'method'
    rows: dict[tuple[str, ...], list[list[str]]] = {}
    for cell in cells:
        results = (run.result() or {} for run in cell.runs)
        found = [recalls for r in results if (recalls := r.get('last_by_class'))]
        if not found:
            continue
        names = tuple(found[0])
        means = np.mean([[one[name] for name in names] for one in found], axis=0)
        shown = [f'{mean:.1f}' for mean in means]
        place = [cell.entry.column, str(cell.entry.row), str(len(found))]
        rows.setdefault(names, []).append([*place, *shown])
    tables = [
        markdown_table(('data and noise', label, 'seeds', *names), lines)
        for names, lines in rows.items()
    ]
    return '\n\n'.join([*tables, NOTES]) if tables else ''
