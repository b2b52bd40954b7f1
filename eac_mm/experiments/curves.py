"""Draw every epoch of several runs."""

import io
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .runs import Run, short_names

# Metric: title of its panel.
PANELS = {
    'accuracy/top1': 'Accuracy (higher is better)',
    'mean_class/accuracy': 'Mean class accuracy (higher is better)',
    'noise/memorised': 'Wrong labels memorised (lower is better)',
    'noise/corrected': 'Wrong labels corrected (higher is better)',
}
UNITS = {
    'accuracy': '% of the validation images',
    'mean_class': '%, mean over the classes',
    'noise': '% of the wrongly labelled images',
}
SEED = dict(lw=0.7, alpha=0.5)


def curves(runs: Mapping[str, Sequence[Run]]) -> bytes | None:
    """Draw the metrics of every epoch as a PNG, a panel for each metric.

    Each recipe has a colour: a thick line for the mean over its seeds, and a thin one
    for each seed if there are several. Metrics that no run has get no panel.

    Args:
        runs: The runs of each recipe; only finished ones are drawn.

    Returns:
        The picture, or None if nothing can be drawn.
    """
    frame = _epochs([run for of_recipe in runs.values() for run in of_recipe])
    metrics = [metric for metric in PANELS if metric in frame]
    if not metrics:
        return None
    columns = len(metrics) if len(metrics) < 4 else 2
    rows = -(-len(metrics) // columns)
    legend = 0.5 + 0.25 * -(-frame['name'].nunique() // columns)  # above the panels
    size = (1 + 4.4 * columns, legend + 3.2 * rows)
    figure = Figure(size, layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True).flat
    for axes, metric in zip(panels, metrics, strict=True):
        _draw(axes, frame, metric)
    handles = panels[0].get_legend_handles_labels()[0]
    several = frame.groupby('name')['seed'].nunique().max() > 1
    figure.legend(
        handles=handles,
        title='thick: mean over the seeds, thin: each seed' if several else None,
        loc='outside upper center',
        ncols=columns,
        frameon=False,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=150, metadata={'Software': None})
    return buffer.getvalue()


def _epochs(runs: Sequence[Run]) -> pd.DataFrame:
    """Return a line for each epoch of each finished run, with its metrics."""
    lines = []
    for name, run in zip(short_names(runs), runs, strict=True):
        for epoch in (run.result() or {}).get('epochs', []):
            place = epoch.get('epoch', epoch.get('iter'))
            unit = 'epoch' if 'epoch' in epoch else 'iteration'
            metrics = {key: epoch[key] for key in PANELS if key in epoch}
            lines.append(dict(name=name, seed=run.seed, unit=unit, at=place, **metrics))
    return pd.DataFrame(lines, columns=None if lines else ['name'])


def _draw(axes: Axes, frame: pd.DataFrame, metric: str) -> None:
    """Draw one metric of all runs."""
    for i, (name, of_name) in enumerate(frame.groupby('name', sort=False)):
        # A metric need not be measured in every epoch.
        found = of_name.dropna(subset=[metric])
        seeds = found['seed'].nunique()
        if seeds > 1:
            for _, of_seed in found.groupby('seed'):
                axes.plot(of_seed['at'], of_seed[metric], color=f'C{i}', **SEED)
        mean = found.groupby('at')[metric].mean()
        marker = 'o' if len(mean) == 1 else None
        label = f'{name} ({seeds} seeds)' if seeds > 1 else name
        axes.plot(mean.index, mean, color=f'C{i}', lw=2.2, marker=marker, label=label)
    axes.set_title(PANELS[metric], fontsize=11)
    axes.set_xlabel(frame['unit'].iloc[0])
    axes.tick_params(labelbottom=True)
    axes.set_ylabel(UNITS[metric.split('/')[0]])
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color='0.9', lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
