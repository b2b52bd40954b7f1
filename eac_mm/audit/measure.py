"""Measure scores of labels against clean labels that are known."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .confident import estimate_noise
from .evidence import Evidence
from .scores import score_labels


def measure_scores(runs: Sequence[Evidence]) -> pd.DataFrame:
    """Measure how well each score finds the wrong labels.

    Args:
        runs: Records of one run or predictions over folds, or several of one kind on
            the same labels, whose scores and probabilities are averaged.

    Returns:
        A row for each score, the best first: ``score``; ``default``, whether it is the
        default; ``auroc``; ``auroc_same_label``, the same of pairs of a wrong and a
        right sample that have the same noisy label; ``average_precision``;
        ``precision``, of as many labels as are wrong. And, the same in each row:
        ``samples``, ``wrong``, ``estimated`` (cleanlab's number of wrong labels),
        ``suggested`` (share of the wrong labels for which the likeliest class is the
        clean label) and ``passes``, how often an image went through the backbone, NaN
        if that is not known.

    Raises:
        ValueError: If clean labels are not known, no label is wrong, or the runs have
            other labels or scores.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels, wrong = _known_labels(runs)
    found = [score_labels(records) for records in runs]
    if len({tuple(one.scores) for one in found}) > 1:
        raise ValueError(
            'these have different scores, which cannot be averaged. Fix: name runs of '
            'one method, or files of folds, but not both.'
        )
    scores = sum(one.scores for one in found) / len(found)
    probabilities = sum(one.probabilities for one in found) / len(found)
    rows = []
    for name, values in scores.items():
        # What no epoch served is the least suspect.
        values = values.fillna(values.min()).to_numpy()
        first = np.argsort(-values, kind='stable')[: wrong.sum()]
        rows.append(
            dict(
                score=name,
                default=name == found[0].default,
                auroc=roc_auc_score(wrong, values),
                auroc_same_label=_auroc_same_label(wrong, values, labels),
                average_precision=average_precision_score(wrong, values),
                precision=wrong[first].mean(),
            )
        )
    likeliest = probabilities.argmax(1)
    return (
        pd.DataFrame(rows)
        .assign(
            samples=len(labels),
            wrong=wrong.sum(),
            estimated=estimate_noise(labels, probabilities)[0],
            suggested=(likeliest == runs[0].clean_labels)[wrong].mean(),
            passes=_sum_passes(runs),
        )
        .sort_values('auroc', ascending=False, kind='stable', ignore_index=True)
    )


def _auroc_same_label(
    wrong: np.ndarray, values: np.ndarray, labels: np.ndarray
) -> float:
    """Return how often a wrong sample has a larger value than a right one.

    Of the pairs with the same noisy label, so that classes which are harder than others
    do not count. NaN if no label has both.
    """
    from sklearn.metrics import roc_auc_score

    found, pairs = [], []
    for label in np.unique(labels):
        same = labels == label
        count = wrong[same].sum() * (~wrong[same]).sum()
        if count:
            found.append(roc_auc_score(wrong[same], values[same]))
            pairs.append(count)
    return np.average(found, weights=pairs) if pairs else np.nan


def _sum_passes(runs: Sequence[Evidence]) -> float:
    passes = [one.passes for one in runs]
    return np.nan if None in passes else sum(passes)


def _known_labels(runs: Sequence[Evidence]) -> tuple[np.ndarray, np.ndarray]:
    """Return the noisy labels, and which of them are wrong."""
    labels, clean = runs[0].noisy_labels, runs[0].clean_labels
    for records in runs:
        if not np.array_equal(records.noisy_labels, labels):
            raise ValueError(
                f'{runs[0].path} and {records.path} were trained on other labels, '
                'and their scores are not averaged. Fix: runs that differ in the seed '
                'of the training alone.'
            )
    if clean is None or np.array_equal(clean, labels):
        raise ValueError(
            f'{runs[0].path} knows of no wrong label, and scores are measured by '
            'them. Fix: a run with label noise of NoisyLabels.'
        )
    return labels, labels != clean
