"""What finished runs have cost, relative to the baseline."""

from collections.abc import Iterable
from statistics import median
from typing import Any

from .cost import passes_per_image
from .plans import Cell
from .report import baselines, markdown_table
from .tables import Table

# What is compared, in the order of the columns.
FIGURES = ('seconds', 'peak_memory', 'parameters')
HEAD = ('data and noise', 'method', 'network passes', 'time', 'memory', 'weights')
NOTES = """\
Times the baseline's; the median over the seeds of both. Network passes: how often a \
training step passes an image through a backbone; the baseline does once. A pass \
without gradient counts a third. DMUE repeats its last stage, which is not counted. \
Time: core time of the training process without the workers that load data; on a GPU, \
of the clock. Only runs of one machine and precision are compared. Memory: the most \
that the process held; on a GPU, the GPU's. A missing figure was not recorded."""

Result = dict[str, Any]


def cost_table(table: Table, cells: Iterable[Cell]) -> str:
    """Return a Markdown table of the costs of each cell that has a baseline.

    Args:
        table: The table of the cells.
        cells: All of its cells, each with its finished runs.

    Returns:
        The table with its notes, ``''`` if no cell and its baseline have finished runs
        of one seed.
    """
    cells = list(cells)
    rows = []
    for number, place in baselines(table, cells).items():
        cell, base = cells[number], cells[place]
        pairs = _pairs(cell, base)
        if pairs:
            passes = passes_per_image(cell.runs[0].settings().model)
            ratios = (_ratio(pairs, name) for name in FIGURES)
            rows.append([cell.entry.column, cell.entry.row, f'{passes:.3g}', *ratios])
    return f'{markdown_table(HEAD, rows)}\n\n{NOTES}' if rows else ''


def _pairs(cell: Cell, base: Cell) -> list[tuple[Result, Result]]:
    """Return the results of both cells' finished runs, seed by seed.

    Figures of two machines, or of two precisions, have no ratio.
    """
    others = {run.seed: run.result() for run in base.runs}
    pairs = ((run.result(), others.get(run.seed)) for run in cell.runs)
    found = ((ours, theirs) for ours, theirs in pairs if ours and theirs)
    return [pair for pair in found if _made_by(pair[0]) == _made_by(pair[1])]


def _made_by(result: Result) -> set[tuple[str, str]]:
    """Return machine and precision of each session of a run."""
    return {(s['machine'], s['precision']) for s in result.get('sessions') or ()}


def _ratio(pairs: list[tuple[Result, Result]], name: str) -> str:
    """Write the median ratio of the pairs that both have a figure."""
    figures = ([result.get('cost', {}).get(name) for result in pair] for pair in pairs)
    ratios = [ours / theirs for ours, theirs in figures if ours and theirs]
    return f'{median(ratios):.2f}' if ratios else '-'
