"""What cleanlab says of labels, from predicted probabilities.

`cleanlab <https://docs.cleanlab.ai>`_ is the reference implementation of confident
learning (`Northcutt, Jiang, Chuang, 2021 <https://arxiv.org/abs/1911.00068>`_). It is
an optional requirement: ``pip install "eac_mm[audit]"``.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

METHODS = ('self_confidence', 'normalized_margin', 'confidence_weighted_entropy')


def load_cleanlab() -> ModuleType:
    """Import cleanlab with the modules that are used here.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        import cleanlab
        import cleanlab.count
        import cleanlab.dataset
        import cleanlab.filter
        import cleanlab.rank
    except ImportError as error:
        raise ImportError(
            f'the label audit needs cleanlab, which cannot be imported ({error}). Fix: '
            'pip install "eac_mm[audit]"'
        ) from error
    return cleanlab


def quality_scores(
    labels: np.ndarray, averaged: np.ndarray, predictions: Sequence[np.ndarray] = ()
) -> dict[str, np.ndarray]:
    """Return cleanlab's label quality scores, turned so that larger is more suspect.

    ``cleanlab_<method>`` are those of the averaged probabilities, 1 - quality.
    ``cleanlab_ensemble`` takes each epoch as a model (self-confidence, weighted by
    accuracy).

    Args:
        labels: Noisy labels, int64 (N,).
        averaged: Probabilities, float (N, L); NaN for samples without any.
        predictions: Probabilities of each epoch, alike. Defaults to none: there is no
            ``cleanlab_ensemble`` then.

    Returns:
        A value for each sample, NaN for those without probabilities.
    """
    rank = load_cleanlab().rank
    served = np.isfinite(averaged).all(1)
    given = labels[served]

    def placed(quality: np.ndarray) -> np.ndarray:
        suspect = np.full(len(labels), np.nan)
        suspect[served] = 1 - quality
        return suspect

    scores = {
        f'cleanlab_{method}': placed(
            rank.get_label_quality_scores(given, averaged[served], method=method)
        )
        for method in METHODS
    }
    if not predictions:
        return scores
    # An epoch that did not serve a sample has the average's opinion of it.
    filled = [np.where(np.isfinite(p), p, averaged)[served] for p in predictions]
    ensemble = rank.get_label_quality_ensemble_scores(given, filled, verbose=False)
    return {**scores, 'cleanlab_ensemble': placed(ensemble)}


def find_issues(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return which labels cleanlab holds for wrong, bool (N,)."""
    served = np.isfinite(probabilities).all(1)
    found = np.zeros(len(labels), bool)
    found[served] = load_cleanlab().filter.find_label_issues(
        labels[served], probabilities[served], n_jobs=1
    )
    return found


def estimate_noise(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[int, np.ndarray]:
    """Estimate how many labels are wrong, and how.

    Args:
        labels: Noisy labels, int64 (N,).
        probabilities: float (N, L).

    Returns:
        The number of wrong labels, and the noise matrix (L, L): the probability of each
        noisy label (column) for each true one (row), as in
        :func:`~eac_mm.datasets.noise.model.transition_matrix`.
    """
    count = load_cleanlab().count
    served = np.isfinite(probabilities).all(1)
    given, probabilities = labels[served], probabilities[served]
    number = count.num_label_issues(given, probabilities)  # cleanlab's default method
    joint = count.compute_confident_joint(given, probabilities)
    _, noise, _ = count.estimate_latent(joint, given)
    return int(number), noise.T  # cleanlab's columns are the true labels


def describe_classes(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, Any]:
    """Return cleanlab's summary of the classes, as plain values.

    Returns:
        ``health``: the overall label health score, 0 to 1. ``class_quality``: for each
        class the estimated share of its labels that are wrong. ``overlaps``: the pairs
        of classes that are mixed up most.
    """
    dataset = load_cleanlab().dataset
    served = np.isfinite(probabilities).all(1)
    options = dict(
        labels=labels[served],
        pred_probs=probabilities[served],
        class_names=list(classes),
        verbose=False,
    )
    summary = dataset.health_summary(**options)
    overlaps = dataset.find_overlapping_classes(
        labels=options['labels'],
        pred_probs=options['pred_probs'],
        class_names=options['class_names'],
    )
    return dict(
        health=float(summary['overall_label_health_score']),
        class_quality=_records(summary['classes_by_label_quality']),
        overlaps=_records(overlaps),
    )


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {key.lower().replace(' ', '_'): value for key, value in row.items()}
        for row in table.to_dict('records')
    ]
