"""Score how suspect each label is, from a recorded training or from folds."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import entr, log_softmax

from eac_mm.utils.fold_predictions import FoldPredictions
from eac_mm.utils.training_records import TrainingRecords

from .confident import quality_scores
from .evidence import Evidence


@dataclass(frozen=True)
class LabelScores:
    """Scores of all labels.

    Attributes:
        scores: A column for each score, a row for each sample, by ``sample_idx``. Of
            every score a larger value is more suspect. NaN if no epoch served the
            sample.
        probabilities: Predicted probabilities, averaged over epochs and views, float64
            (samples, classes).
        default: Name of the score that was measured to be best (docs/label_audit.md).
    """

    scores: pd.DataFrame
    probabilities: np.ndarray
    default: str


def score_labels(records: Evidence) -> LabelScores:
    """Score the labels of a recorded training, or by predictions over folds.

    Folds have no epochs, and so cleanlab's scores alone
    (:func:`~eac_mm.audit.confident.quality_scores`). A recorded training has them, and
    these scores of view 1, which other views have too, with ``_view2`` in their names:

    - ``last_loss``: cross-entropy of the label in the last epoch
    - ``mean_loss``: cross-entropy, averaged over the epochs
    - ``late_loss``: the same of the second half of the epochs
    - ``negative_aum``: logit of the best other class minus that of the label, averaged:
      minus the area under the margin (`Pleiss et al., 2020
      <https://arxiv.org/abs/2001.10528>`_)
    - ``improbability``: 1 - probability of the label, averaged
    - ``negative_margin``: the same difference as ``negative_aum`` of probabilities
    - ``wrong_events``: number of epochs that predicted another class

    With two views or more: ``view_disagreement``, the Jensen-Shannon divergence of
    their predictions, averaged, 0 to log(views). If the method records it:
    ``attention_disagreement``, averaged. And
    :func:`~eac_mm.audit.confident.quality_scores`.

    Args:
        records: From :func:`~eac_mm.audit.read_evidence`.
    """
    if isinstance(records, FoldPredictions):
        predicted = records.probabilities.astype(np.float64)
        scores = quality_scores(records.noisy_labels, predicted)
        return LabelScores(
            pd.DataFrame(scores), predicted, default='cleanlab_self_confidence'
        )
    return _score_epochs(records)


def _score_epochs(records: TrainingRecords) -> LabelScores:
    """Score the labels of a recorded training; see :func:`score_labels`."""
    labels = records.noisy_labels
    sums, counts = defaultdict(float), defaultdict(float)
    last: dict[str, np.ndarray] = {}
    predictions = []

    def add(name: str, values: np.ndarray) -> None:
        served = np.isfinite(values)
        sums[name] = sums[name] + np.where(served, values, 0)
        counts[name] = counts[name] + served

    for epoch in records:
        logits = epoch.logits.astype(np.float64)
        log_probabilities = log_softmax(logits, axis=-1)
        probabilities = np.exp(log_probabilities)
        predictions.append(probabilities.mean(0))
        for view, suffix in enumerate(_suffixes(len(logits))):
            values = _epoch_values(logits[view], log_probabilities[view], labels)
            for name, value in values.items():
                add(name + suffix, value)
            loss = values['mean_loss']
            if epoch.epoch > len(records) // 2:
                add(f'late_loss{suffix}', loss)
            before = last.get(f'last_loss{suffix}', loss)
            last[f'last_loss{suffix}'] = np.where(np.isfinite(loss), loss, before)
        if len(logits) > 1:
            add('view_disagreement', jensen_shannon(probabilities))
        if epoch.disagreement is not None:
            add('attention_disagreement', epoch.disagreement.astype(np.float64))
    with np.errstate(invalid='ignore'):  # 0 / 0 of samples that were never served
        means = {name: total / counts[name] for name, total in sums.items()}
    for name in means:
        if name.startswith('wrong_events'):
            means[name] = means[name] * counts[name]
    averaged = average(predictions)
    cleanlab = quality_scores(labels, averaged, predictions)
    scores = pd.DataFrame({**last, **means, **cleanlab})
    return LabelScores(scores, averaged, _default_score(counts))


def _default_score(counts: dict[str, np.ndarray]) -> str:
    """Return the best score by how often each view of each sample was served.

    What is not classified in training memorises late, so that its late epochs say most;
    what is classified has memorised by then, so that all epochs count. If the network
    saw view 2 of some samples only, it memorises late too, and view 1 has all of them.
    """
    if 'late_loss_view2' not in counts:
        return 'mean_loss'
    both = np.array_equal(counts['mean_loss'], counts['mean_loss_view2'])
    return 'late_loss_view2' if both else 'late_loss'


def _suffixes(views: int) -> list[str]:
    return ['', *(f'_view{view}' for view in range(2, views + 1))]


def _epoch_values(
    logits: np.ndarray, log_probabilities: np.ndarray, labels: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what one epoch and view say of each label, NaN if it was not served."""
    probabilities = np.exp(log_probabilities)
    wrong = (logits.argmax(1) != labels).astype(float)
    return {
        'mean_loss': -_of(log_probabilities, labels),
        'negative_aum': -margin(logits, labels),
        'improbability': 1 - _of(probabilities, labels),
        'negative_margin': -margin(probabilities, labels),
        'wrong_events': np.where(np.isfinite(logits[:, 0]), wrong, np.nan),
    }


def _of(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, labels[:, None], 1)[:, 0]


def margin(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the value of each label minus the largest other one.

    Shape:
        - values: (N, L), logits or probabilities
        - labels: (N,)
        - Output: (N,)
    """
    others = values.copy()
    np.put_along_axis(others, labels[:, None], -np.inf, 1)
    return _of(values, labels) - others.max(1)


def jensen_shannon(probabilities: np.ndarray) -> np.ndarray:
    """Return how far the predictions of several views are apart, in nats.

    Shape:
        - probabilities: (V, N, L)
        - Output: (N,), 0 to log(V)
    """
    mean = probabilities.mean(0)
    return entr(mean).sum(-1) - entr(probabilities).sum(-1).mean(0)


def average(predictions: Iterable[np.ndarray]) -> np.ndarray:
    """Average predictions over epochs; epochs that did not serve a sample do not count.

    Returns:
        (N, L); NaN for samples that were never served.
    """
    stacked = np.stack(list(predictions))
    served = np.isfinite(stacked)
    with np.errstate(invalid='ignore'):
        return np.where(served, stacked, 0).sum(0) / served.sum(0)
