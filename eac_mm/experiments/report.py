"""Turn the results of runs into tables: data frames, csv and Markdown."""

from collections.abc import Iterable, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from .plans import Cell
from .tables import Table

LAST = 5  # epochs in the mean, as in the paper
LAST_MEAN = f'mean of the last {LAST} epochs'
BEST = 'best epoch (peeks)'
# Parts of each figure in a record.
SPREAD = ('mean', 'sd')
INTERVAL = (*SPREAD, 'low', 'high')


def markdown_table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table, without an end of line after the last row."""
    head = [str(name) for name in head]
    lines = [f'| {" | ".join(head)} |', f'|{" --- |" * len(head)}']
    lines += [f'| {" | ".join(map(str, row))} |' for row in rows]
    return '\n'.join(lines)


def measured(result: dict, metric: str = 'accuracy/top1') -> dict[str, float]:
    """Return the figures of a finished run, NaN for those that it lacks.

    Args:
        result: Content of its ``result.json``.
        metric: Key of the metric of the last and of the best epoch.
    """
    last, best = result['last_mean'], result.get('best_epoch') or {}
    figures = dict(
        last5=last.get(metric),
        mean_class=last.get('mean_class/accuracy'),
        macro_f1=last.get('mean_class/f1'),
        best_epoch=best.get(metric),
        memorised=last.get('noise/memorised'),
        corrected=last.get('noise/corrected'),
        minutes=result['seconds'] / 60,
    )
    return {name: nan if v is None else float(v) for name, v in figures.items()}


def summarise(values: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Summarise the seeds of each group.

    Args:
        values: One line for each run: the columns to group by, and figures.
        by: Columns to group by.

    Returns:
        A line for each group, in the order of the first appearance. Its columns are
        (part, figure); the parts are ``mean``, ``sd`` (sample standard deviation,
        n - 1), ``low`` and ``high`` (95 % interval of the mean, Student's t). They
        are NaN if a run lacks the figure, all but the mean also for a single run.
    """
    groups = values.groupby(list(by), sort=False)
    runs = groups.size()
    complete = groups.count().eq(runs, axis=0)
    mean, sd = groups.mean().where(complete), groups.std().where(complete)
    half = sd.mul(t.ppf(0.975, runs - 1) / np.sqrt(runs), axis=0)
    parts = dict(mean=mean, sd=sd, low=mean - half, high=mean + half)
    return pd.concat(parts, axis=1)


def show_spread(mean: float, sd: float, form: str = '.2f') -> str:
    """Write a mean, with the standard deviation if there is one."""
    if pd.isna(mean):
        return '-'
    text = format(mean, form)
    return text if pd.isna(sd) else f'{text} ± {sd:.2f}'


def records(table: Table, cells: Iterable[Cell], protocol: str) -> pd.DataFrame:
    """Return one flat record for each cell and metric, in percent and minutes.

    The figures are over the seeds that are finished. The mean of the last epochs and
    the best epoch have columns of their own; only the mean of the last epochs in the
    full protocol has a difference to the paper. What a cell gains over its baseline
    is paired: the mean of the differences, seed by seed, over the seeds of both.

    Args:
        table: Its metrics.
        cells: Its cells, or some of them; a baseline stands above what is compared
            with it.
        protocol: Which protocol the cells belong to.
    """
    cells = list(cells)
    lines, runs = [], []
    for number, cell in enumerate(cells):
        results = {run.seed: result for run in cell.runs if (result := run.result())}
        figures = cell.entry.paper or [None] * len(table.metrics)
        for (metric, key), figure in zip(table.metrics.items(), figures, strict=True):
            place = dict(cell=number, metric=metric)
            lines.append(_described(cell, metric, len(results), figure) | place)
            runs += [
                place | dict(seed=seed) | measured(result, key)
                for seed, result in results.items()
            ]
    frame = pd.DataFrame(lines).set_index(['cell', 'metric'], drop=False)
    names = list(measured(dict(last_mean={}, seconds=0)))
    values = pd.DataFrame(runs, columns=['cell', 'metric', 'seed', *names])
    by = ['cell', 'metric']
    found = summarise(values.drop(columns='seed'), by).reindex(frame.index)
    minutes = values.groupby(by)['minutes'].median().reindex(frame.index)
    pairs = _pairs(values, baselines(table, cells))
    frame['pairs'] = pairs.groupby(by).size().reindex(frame.index, fill_value=0)
    gains = summarise(pairs.drop(columns='seed'), by).reindex(frame.index)
    return _arranged(frame, found, minutes, gains, protocol)


def baselines(table: Table, cells: Sequence[Cell]) -> dict[int, int]:
    """Return the place of the baseline of each cell that has one.

    It is the nearest baseline above the cell in its column.
    """
    nearest, found = {}, {}
    for number, cell in enumerate(cells):
        column = cell.entry.column
        if table.is_baseline(cell.entry):
            nearest[column] = number
        elif column in nearest:
            found[number] = nearest[column]
    return found


def _pairs(values: pd.DataFrame, baselines: dict[int, int]) -> pd.DataFrame:
    """Return the gains of each run over its baseline's run of the same seed."""
    place, figures = ['cell', 'metric', 'seed'], ['last5', 'mean_class']
    runs = values[place + figures].copy()
    runs['baseline'] = runs['cell'].map(baselines).astype(float)  # NaN for none
    keys = ['baseline', 'metric', 'seed']
    others = runs.drop(columns='baseline').rename(columns=dict(cell='baseline'))
    others['baseline'] = others['baseline'].astype(float)
    both = runs.merge(others, on=keys, suffixes=('', '_baseline'))
    gains = {name: both[name] - both[f'{name}_baseline'] for name in figures}
    return both[place].assign(**gains)


def _described(
    cell: Cell, metric: str, finished: int, figure: float | None
) -> dict[str, Any]:
    entry = cell.entry
    return dict(
        row=entry.row,
        column=entry.column,
        metric=metric,
        data=entry.data,
        noise=entry.noise,
        method=entry.method,
        recipe=entry.recipe,
        options=' '.join(entry.options),
        seeds=finished,
        paper=nan if figure is None else figure,
    )


def _arranged(
    frame: pd.DataFrame,
    found: pd.DataFrame,
    minutes: pd.Series,
    gains: pd.DataFrame,
    protocol: str,
) -> pd.DataFrame:
    """Put the columns in the order of the csv files, rounded."""
    paper, pairs = frame.pop('paper').astype(float), frame.pop('pairs')
    del frame['cell']

    def add(name: str, parts: Sequence[str]) -> None:
        for part in parts:
            frame[f'{name}_{part}'] = found[part, name].round(4)

    def add_gain(name: str, figure: str) -> None:
        for part in INTERVAL:
            frame[f'{name}_{part}'] = gains[part, figure].round(4)

    add('last5', INTERVAL)
    add('mean_class', SPREAD)
    add('macro_f1', SPREAD)
    frame['pairs'] = pairs
    add_gain('gain', 'last5')
    add_gain('mean_class_gain', 'mean_class')
    add('best_epoch', INTERVAL)
    if protocol == 'full':
        frame['paper'] = paper
        frame['difference'] = (found['mean', 'last5'] - paper).round(4)
    else:
        frame['paper_full_protocol'] = paper
    add('memorised', SPREAD)
    add('corrected', SPREAD)
    frame['minutes'] = minutes.round(2)
    return frame.reset_index(drop=True)


def as_csv(rows: pd.DataFrame) -> str:
    """Write records as csv; a missing figure is an empty field."""
    return rows.to_csv(index=False, lineterminator='\n')


def as_markdown(table: Table, rows: pd.DataFrame) -> str:
    """Write records as a Markdown table, without the columns that are empty."""
    shown = pd.DataFrame([_shown(table, row) for row in rows.to_dict('records')])
    always = ('seeds', LAST_MEAN, BEST)
    kept = [h for h in shown if h in always or not shown[h].eq('-').all()]
    return markdown_table(kept, shown[kept].to_numpy())


def _shown(table: Table, row: dict[str, Any]) -> dict[str, str]:
    def spread(name: str) -> str:
        return show_spread(row[f'{name}_mean'], row[f'{name}_sd'])

    def gain(name: str) -> str:
        text = show_spread(row[f'{name}_mean'], row[f'{name}_sd'], '+.2f')
        if text == '-' or row['pairs'] == row['seeds']:
            return text
        return f'{text} ({row["pairs"]} seed{"s" if row["pairs"] > 1 else ""})'

    def number(name: str, form: str = '.2f') -> str:
        return '-' if pd.isna(row.get(name)) else format(row[name], form)

    low, high = number('last5_low'), number('last5_high')
    other = 'paper, full protocol' + (table.paper_data and f' on {table.paper_data}')
    return {
        'data and noise': str(row['column']),
        'lambda' if table.log_axis else 'method': str(row['row']),
        'metric': str(row['metric']) if len(table.metrics) > 1 else '-',
        'seeds': str(row['seeds']),
        LAST_MEAN: spread('last5'),
        'its 95 % interval': '-' if low == '-' else f'{low} to {high}',
        'over the baseline': gain('gain'),
        'mean class accuracy': spread('mean_class'),
        'mean class accuracy over the baseline': gain('mean_class_gain'),
        'macro F1': spread('macro_f1'),
        'the paper': number('paper'),
        'difference to the paper': number('difference', '+.2f'),
        other: number('paper_full_protocol'),
        BEST: spread('best_epoch'),
        'memorised': spread('memorised'),
        'corrected': spread('corrected'),
        'minutes a run': number('minutes', '.1f'),
    }
