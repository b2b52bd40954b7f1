"""What the runs of a table came to: as records, as csv, as a Markdown table."""

import csv
import io
from collections.abc import Iterable
from statistics import median

from .markdown import markdown_table
from .plans import Cell
from .summary import Summary, summarise
from .tables import Table

Record = dict[str, str | int | float | None]
LAST = 5  # epochs in the mean, as in the paper
LAST_MEAN = f'mean of the last {LAST} epochs'
BEST = 'best epoch (peeks)'


def records(table: Table, cells: Iterable[Cell], protocol: str) -> list[Record]:
    """One flat record for each cell and metric, in percent and minutes.

    Figures stand only where all seeds of the cell are finished. The mean of the
    last epochs and the best epoch have names of their own; only the full
    protocol's mean of the last epochs has a difference to the paper.
    """
    return [
        _record(cell, name, key, figure, protocol)
        for cell in cells
        for (name, key), figure in zip(
            table.metrics.items(),
            cell.entry.paper or [None] * len(table.metrics),
            strict=True,
        )
    ]


def _record(
    cell: Cell, metric: str, key: str, figure: float | None, protocol: str
) -> Record:
    entry = cell.entry
    finished = [result for run in cell.runs if (result := run.result())]
    results = finished if len(finished) == len(cell.runs) else []
    last = summarise([r['last_mean'].get(key) for r in results])
    record: Record = dict(
        row=entry.row,
        column=entry.column,
        metric=metric,
        data=entry.data,
        noise=entry.noise,
        method=entry.method,
        recipe=entry.recipe,
        options=' '.join(entry.options),
        seeds=len(finished),
        seeds_planned=len(cell.runs),
        **_numbers('last5', last),
        **_numbers('best_epoch', summarise([_best(r).get(key) for r in results])),
    )
    if protocol == 'full':
        record['paper'] = figure
        known = last is not None and figure is not None
        record['difference'] = round(last.mean - figure, 4) if known else None
    else:
        record['paper_full_protocol'] = figure
    for name in ('memorised', 'corrected'):
        values = [r['last_mean'].get(f'noise/{name}') for r in results]
        record |= _numbers(name, summarise(values), interval=False)
    minutes = [r['seconds'] / 60 for r in results]
    record['minutes'] = round(median(minutes), 2) if minutes else None
    return record


def _best(result: dict) -> dict:
    return result['best_epoch'] or {}


def _numbers(name: str, summary: Summary | None, interval: bool = True) -> Record:
    parts = dict(mean='mean', sd='deviation')
    if interval:
        parts |= dict(low='low', high='high')
    values = {part: getattr(summary, field, None) for part, field in parts.items()}
    return {
        f'{name}_{part}': None if value is None else round(value, 4)
        for part, value in values.items()
    }


def as_csv(rows: list[Record]) -> str:
    """The records under a line of their names, nothing where there is no figure."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(table: Table, rows: list[Record]) -> str:
    """The table itself."""
    shown = [_shown(table, row) for row in rows]
    empty = [h for h in shown[0] if all(cells[h] == '-' for cells in shown)]
    always = ('seeds', LAST_MEAN, BEST)
    kept = [h for h in shown[0] if h in always or h not in empty]
    return markdown_table(kept, ([cells[h] for h in kept] for cells in shown))


def missing(row: Record) -> str:
    """What to show in place of a figure that is not there yet."""
    if 0 < row['seeds'] < row['seeds_planned']:
        return f'{row["seeds"]} of {row["seeds_planned"]} seeds'
    return '-'


def _shown(table: Table, row: Record) -> dict[str, str]:
    def spread(name: str) -> str:
        if row[f'{name}_mean'] is None:
            return missing(row) if name == 'last5' else '-'
        return str(Summary(row[f'{name}_mean'], row[f'{name}_sd']))

    def number(name: str, form: str = '.2f') -> str:
        return '-' if row.get(name) is None else format(row[name], form)

    low, high = number('last5_low'), number('last5_high')
    other = f'paper, full protocol on {table.paper_data}'
    return {
        'data and noise': str(row['column']),
        'lambda' if table.log_axis else 'method': str(row['row']),
        'metric': str(row['metric']) if len(table.metrics) > 1 else '-',
        'seeds': str(row['seeds']),
        LAST_MEAN: spread('last5'),
        'its 95 % interval': '-' if low == '-' else f'{low} to {high}',
        'the paper': number('paper'),
        'difference to the paper': number('difference', '+.2f'),
        other: number('paper_full_protocol'),
        BEST: spread('best_epoch'),
        'memorised': spread('memorised'),
        'corrected': spread('corrected'),
        'minutes a run': number('minutes', '.1f'),
    }
