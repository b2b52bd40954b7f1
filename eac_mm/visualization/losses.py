"""Draw the losses of clean and wrong labels apart (the paper's Figure 5)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import log_softmax

from eac_mm.utils.training_records import TrainingRecords

from .style import COLOURS, new_figure, plain

BINS = 40


def classification_losses(records: TrainingRecords, epoch: int) -> np.ndarray:
    """Return the cross-entropy of each sample's noisy label on view 1.

    It is that of the step which trained on the sample, on the augmented image.

    Args:
        records: Of a run.
        epoch: From 1.

    Returns:
        float64 (samples,); NaN for a sample that the epoch did not serve.

    Raises:
        ValueError: If the run has no such epoch.
    """
    if not 1 <= epoch <= len(records):
        raise ValueError(
            f'epoch {epoch} is not among the {len(records)} recorded ones of '
            f'{records.folder}. Fix: give 1 to {len(records)}.'
        )
    logits = records[epoch - 1].logits[0].astype(np.float64)
    rows = np.arange(len(logits))
    return -log_softmax(logits, axis=1)[rows, records.noisy_labels]


def draw_losses(
    runs: Mapping[str, TrainingRecords], epochs: Sequence[int] | None = None
) -> Figure:
    """Draw densities of the losses of clean and of wrong labels.

    A row for each epoch, a column for each run. Each density integrates to 1, so the
    wrong labels, which are fewer, can be compared with the others. Losses are divided
    by the 99th percentile of their panel, and those above it count there: one outlier
    would press all others together.

    Args:
        runs: Records by the name of their run.
        epochs: From 1. Defaults to None: the first, the middle and the last one that
            all runs have.

    Raises:
        ValueError: If a run's clean labels are not known, or none is wrong.
    """
    for name, records in runs.items():
        if records.clean_labels is None or not _wrong(records).any():
            lack = 'no clean labels' if records.clean_labels is None else 'no wrong one'
            raise ValueError(
                f'{name}: the figure shows clean and wrong labels apart, and among its '
                f'labels there are {lack}. Fix: name a run on noisy labels whose clean '
                'labels are known.'
            )
    if epochs is None:
        last = min(len(records) for records in runs.values())
        epochs = sorted({1, (1 + last) // 2, last})
    figure = new_figure(1 + 3.4 * len(runs), 0.8 + 2.2 * len(epochs))
    panels = figure.subplots(len(epochs), len(runs), squeeze=False)
    for row, epoch in zip(panels, epochs, strict=True):
        for axes, (name, records) in zip(row, runs.items(), strict=True):
            losses = classification_losses(records, epoch)
            _densities(axes, losses, _wrong(records))
            axes.set_title(f'{name}, epoch {epoch}', fontsize=10)
        row[0].set_ylabel('density')
    for axes in panels[-1]:
        axes.set_xlabel("loss, as a share of the panel's 99th percentile")
    figure.legend(
        *panels[0][0].get_legend_handles_labels(),
        loc='outside upper center',
        ncols=2,
        frameon=False,
    )
    return figure


def _wrong(records: TrainingRecords) -> np.ndarray:
    return records.noisy_labels != records.clean_labels


def _densities(axes: Axes, losses: np.ndarray, wrong: np.ndarray) -> None:
    served = np.isfinite(losses)
    losses, wrong = losses[served], wrong[served]
    shares = np.minimum(losses / max(np.percentile(losses, 99), 1e-12), 1)
    edges = np.linspace(0, 1, BINS + 1)
    kinds = (('clean label', ~wrong, COLOURS[0]), ('wrong label', wrong, COLOURS[1]))
    for label, chosen, colour in kinds:
        heights, _ = np.histogram(shares[chosen], edges, density=True)
        axes.stairs(heights, edges, fill=True, color=colour, alpha=0.35)
        axes.stairs(heights, edges, color=colour, lw=1.5, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    plain(axes)
