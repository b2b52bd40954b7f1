"""Draw the results of a test: confusion matrix and reliability diagram."""

import numpy as np
from matplotlib.figure import Figure

from eac_mm.evaluation.calibration import Reliability

from .style import COLOURS, new_figure, plain


def draw_confusion(counts: np.ndarray, classes: tuple[str, ...]) -> Figure:
    """Draw a confusion matrix: the share of each class, and the number below it.

    Args:
        counts: Rows are true classes, columns predicted ones, (L, L).
        classes: Names of the classes.
    """
    shares = counts / counts.sum(1, keepdims=True).clip(1)
    side = 1.8 + 0.62 * len(classes)
    figure = new_figure(side + 0.6, side)
    axes = figure.subplots()
    drawn = axes.imshow(shares, cmap='Blues', vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        share = shares[row, column]
        colour = 'white' if share > 0.5 else '0.15'
        place = dict(ha='center', va='center', color=colour)
        axes.text(column, row, f'{100 * share:.0f}\n({count:,})', fontsize=8, **place)
    axes.set_xticks(range(len(classes)), classes, rotation=40, ha='right')
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel('predicted')
    axes.set_ylabel('label')
    axes.set_title('percent of the class (images)', fontsize=10)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8)
    bar.set_ticks([0, 0.5, 1], labels=['0', '50', '100'])
    return figure


def draw_reliability(before: Reliability, after: Reliability) -> Figure:
    """Draw accuracy by confidence, before and after temperature scaling.

    On the diagonal the network is as often right as it says; below, it is too sure.
    The bars count the predictions.

    Args:
        before: At temperature 1.
        after: Scaled.
    """
    figure = new_figure(8, 4.4)
    panels = figure.subplots(
        2, 2, sharex=True, sharey='row', height_ratios=(3, 1), squeeze=False
    )
    titles = ('as trained', 'temperature scaled')
    for i, (found, title) in enumerate(zip((before, after), titles, strict=True)):
        upper, lower = panels[:, i]
        upper.plot([0, 1], [0, 1], color='0.6', lw=1, ls='--')
        upper.plot(found.confidence, found.accuracy, 'o-', color=COLOURS[0], ms=4)
        upper.set_title(f'{title}: error {100 * found.error:.1f} %', fontsize=10)
        edges = np.linspace(0, 1, len(found.count) + 1)
        lower.stairs(found.count, edges, fill=True, color=COLOURS[5])
        lower.set_xlabel('confidence')
        for axes in (upper, lower):
            plain(axes)
        upper.set_xlim(0, 1)
        upper.set_ylim(0, 1)
    panels[0][0].set_ylabel('accuracy')
    panels[1][0].set_ylabel('images')
    return figure
