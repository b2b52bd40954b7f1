"""Draw a table: the mean of the last epochs with its 95 % interval."""

import io
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .report import LAST
from .tables import Table

Record = dict[str, Any]
LABEL = f'mean of the last {LAST} epochs (%)'
PAPER = dict(marker='o', ls='', mfc='white', mec='0.35', ms=8, label='the paper')
OURS = dict(marker='o', ls='', ms=5, capsize=3)
MEAN_CLASS = dict(marker='D', ls='', ms=4, mfc='none')


def picture(table: Table, frame: pd.DataFrame, title: str) -> bytes:
    """Draw the rows of the table that have runs as a PNG.

    Args:
        table: Its metrics and its axis.
        frame: Records of :func:`eac_mm.experiments.report.records`.
        title: Title above the picture.
    """
    rows = frame[frame['seeds'] > 0].to_dict('records')
    draw = _lines if table.log_axis else _dots
    lines = len(_places(rows[:: len(table.metrics)]))  # of the first metric
    height = 4.5 if table.log_axis else 1.6 + 0.27 * lines
    figure = Figure((4 + 4.2 * len(table.metrics), height), layout='constrained')
    FigureCanvasAgg(figure)
    all_axes = figure.subplots(1, len(table.metrics), sharey=True, squeeze=False)[0]
    for axes, metric in zip(all_axes, table.metrics, strict=True):
        draw(axes, [row for row in rows if row['metric'] == metric], metric, table)
        axes.grid(color='0.9', lw=0.6)
        axes.set_axisbelow(True)
        axes.spines[['top', 'right']].set_visible(False)
    figure.suptitle(title, fontsize=12)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=150, metadata={'Software': None})
    return buffer.getvalue()


def _places(rows: list[Record]) -> list[tuple[str, Record | None]]:
    """List labels from top to bottom: a heading for each column, and its rows."""
    places: list[tuple[str, Record | None]] = []
    for column in dict.fromkeys(row['column'] for row in rows):
        places.append((column, None))
        places += [(row['row'], row) for row in rows if row['column'] == column]
    return places


def _error(row: Record) -> list[list[float]] | None:
    if pd.isna(row['last5_low']):
        return None
    mean = row['last5_mean']
    return [[mean - row['last5_low']], [row['last5_high'] - mean]]


def _dots(axes: Axes, rows: list[Record], metric: str, table: Table) -> None:
    places = _places(rows)
    colours = {name: f'C{i}' for i, name in enumerate({r['row']: 0 for r in rows})}
    for y, (label, row) in enumerate(places):
        if row is None:
            continue
        if pd.notna(row.get('paper')):
            axes.plot(row['paper'], y, **PAPER, zorder=2)
        mean = row['last5_mean']
        if pd.notna(mean):
            axes.errorbar(mean, y, xerr=_error(row), color=colours[label], **OURS)
        if _has_mean_class(row, table):
            axes.plot(row['mean_class_mean'], y, color=colours[label], **MEAN_CLASS)
    axes.set_yticks(range(len(places)), [label for label, _ in places])
    labels = axes.get_yticklabels()  # none but on the first of several axes
    for tick, (_, row) in zip(labels, places, strict=False):
        tick.set_fontweight('bold' if row is None else 'normal')
    axes.tick_params(axis='y', length=0)
    axes.set_ylim(len(places) - 0.4, -0.6)
    axes.set_xlabel(f'{metric}, {LABEL}')
    _legend(
        axes,
        paper=any(pd.notna(row.get('paper')) for row in rows),
        mean_class=any(_has_mean_class(row, table) for row in rows),
    )


def _lines(axes: Axes, rows: list[Record], metric: str, table: Table) -> None:
    for i, column in enumerate(dict.fromkeys(row['column'] for row in rows)):
        found = [r for r in rows if r['column'] == column and pd.notna(r['last5_mean'])]
        xs = [float(row['row']) * 1.02**i for row in found]  # bars beside each other
        axes.plot(xs, [r['last5_mean'] for r in found], color=f'C{i}', label=column)
        for x, row in zip(xs, found, strict=True):
            axes.errorbar(x, row['last5_mean'], _error(row), color=f'C{i}', **OURS)
            if _has_mean_class(row, table):
                axes.plot(x, row['mean_class_mean'], color=f'C{i}', **MEAN_CLASS)
    values = sorted({float(row['row']) for row in rows})
    axes.set_xscale('log')
    axes.set_xticks(values, [f'{value:g}' for value in values])
    axes.minorticks_off()
    axes.set_xlabel(table.log_axis)
    axes.set_ylabel(f'{metric}, {LABEL}')
    handles = axes.get_legend_handles_labels()[0]
    if any(_has_mean_class(row, table) for row in rows):
        handles.append(_mean_class_key())
    axes.legend(handles=handles, title='bars: 95 % interval', frameon=False)


def _has_mean_class(row: Record, table: Table) -> bool:
    """Whether to draw the mean class accuracy: beside the table's first metric."""
    first = row['metric'] == next(iter(table.metrics))
    return first and pd.notna(row['mean_class_mean'])


def _mean_class_key() -> Line2D:
    return Line2D([], [], color='0.2', label='mean class accuracy', **MEAN_CLASS)


def _legend(axes: Axes, paper: bool, mean_class: bool) -> None:
    ours = Line2D([], [], color='0.2', marker='o', ms=5, label='ours, 95 % interval')
    handles = [ours]
    handles += [_mean_class_key()] if mean_class else []
    handles += [Line2D([], [], **PAPER)] if paper else []
    axes.legend(
        handles=handles,
        loc='lower right',
        bbox_to_anchor=(1, 1),
        ncols=3,
        frameon=False,
        fontsize=9,
    )
