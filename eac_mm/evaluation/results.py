"""From the predictions of a test to its tables."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from mmpretrain.evaluation import ConfusionMatrix, SingleLabelMetric

from .calibration import Reliability, cross_fitted, fit_temperature, reliability


def by_class(table: pd.DataFrame, classes: tuple[str, ...]) -> pd.DataFrame:
    """Return precision, recall and F1 of each class, in percent, and their means.

    Recall is the accuracy of a class; its mean is the mean class accuracy. Classes
    without images do not count in the means.

    Args:
        table: Of :class:`~eac_mm.evaluation.Predictions`.
        classes: Names of the classes, in the order of the labels.

    Returns:
        A row for each class and one ``mean``; columns ``class``, ``images``,
        ``predicted``, ``precision``, ``recall``, ``f1``.
    """
    labels, predicted = positions(table, classes)
    figures = SingleLabelMetric.calculate(
        torch.from_numpy(predicted),
        torch.from_numpy(labels),
        average=None,
        num_classes=len(classes),
    )
    precision, recall, f1, images = (values.double().numpy() for values in figures)
    rows = pd.DataFrame(
        {
            'class': classes,
            'images': images.astype(int),
            'predicted': np.bincount(predicted, minlength=len(classes)),
            'precision': precision,
            'recall': recall,
            'f1': f1,
        }
    )
    mean = rows.loc[images > 0, ['precision', 'recall', 'f1']].mean()
    total = dict(images=len(table), predicted=len(table))
    return pd.concat(
        [rows, pd.DataFrame([{'class': 'mean', **total, **mean}])], ignore_index=True
    )


def confusion(table: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    """Return how many images of each class (row) are called what (column), (L, L)."""
    labels, predicted = positions(table, classes)
    return ConfusionMatrix.calculate(
        torch.from_numpy(predicted), torch.from_numpy(labels), len(classes)
    ).numpy()


def calibration(
    table: pd.DataFrame, classes: tuple[str, ...]
) -> tuple[dict[str, Any], Reliability, Reliability]:
    """Measure the calibration before and after temperature scaling.

    Args:
        table: Of :class:`~eac_mm.evaluation.Predictions`.
        classes: Names of the classes.

    Returns:
        Figures (``temperature`` of all images; ``error`` and ``error_scaled``, 0 to 1,
        the second with the temperature of one half measured on the other), and the
        reliability before and after.
    """
    labels, _ = positions(table, classes)
    probabilities = table[[f'p_{name}' for name in classes]].to_numpy(float)
    before = reliability(probabilities, labels)
    after = reliability(cross_fitted(probabilities, labels), labels)
    figures = dict(
        temperature=fit_temperature(probabilities, labels),
        error=before.error,
        error_scaled=after.error,
        bins=len(before.count),
    )
    return figures, before, after


def positions(
    table: pd.DataFrame, classes: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return true and predicted labels as positions among the classes."""
    place = {name: i for i, name in enumerate(classes)}
    return tuple(
        table[key].map(place).to_numpy(int, copy=True)
        for key in ('label', 'prediction')
    )
