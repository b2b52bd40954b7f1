"""Whether a network is as often right as it says: calibration."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

BINS = 15
SMALLEST, LARGEST = 0.05, 20.0  # temperatures that are tried
FLOOR = 1e-12  # a probability that has become 0 has no logarithm


@dataclass(frozen=True)
class Reliability:
    """How often predictions are right, by how sure the network was.

    The confidence of a prediction is its highest probability. Bins have equal width;
    a confidence on their border counts to the lower one.

    Attributes:
        count: Predictions in each bin, (B,).
        confidence: Their mean confidence, (B,); NaN in an empty bin.
        accuracy: The share of them that is right, (B,); NaN in an empty bin.
        error: Expected calibration error: the mean distance between confidence and
            accuracy of the bins, weighted by their counts, 0 to 1.
    """

    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    error: float


def reliability(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> Reliability:
    """Compare confidence and accuracy.

    `On Calibration of Modern Neural Networks <https://arxiv.org/abs/1706.04599>`_.

    Args:
        probabilities: (N, L).
        labels: True labels, (N,).
        bins: Number of bins between 0 and 1. Defaults to 15.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    sums = (np.bincount(place, values, bins) for values in (confidence, right))
    with np.errstate(invalid='ignore'):
        mean_confidence, accuracy = (total / count for total in sums)
    gaps = np.abs(mean_confidence - accuracy)[count > 0]
    error = float((gaps * count[count > 0]).sum() / count.sum())
    return Reliability(count, mean_confidence, accuracy, error)


def scale(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities that the logits over a temperature would give."""
    return softmax(np.log(probabilities.clip(FLOOR)) / temperature, axis=1)


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature of the lowest cross-entropy (temperature scaling).

    Args:
        probabilities: (N, L), at temperature 1.
        labels: True labels, (N,), which the network was not trained on.

    Returns:
        Between 0.05 and 20. Above 1 the network was too sure.
    """
    rows = np.arange(len(labels))

    def cross_entropy(log_temperature: float) -> float:
        scaled = scale(probabilities, np.exp(log_temperature))
        return -np.log(scaled[rows, labels].clip(FLOOR)).mean()

    bounds = np.log([SMALLEST, LARGEST])
    return float(np.exp(minimize_scalar(cross_entropy, bounds, bounds=bounds).x))


def cross_fitted(
    probabilities: np.ndarray, labels: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Scale each half of the data by the temperature of the other half.

    So the calibration after scaling is measured on data that the temperature does not
    know, without a further data set.

    Args:
        probabilities: (N, L), N at least 2.
        labels: (N,).
        seed: Of the halves. Defaults to 0.

    Returns:
        Probabilities, (N, L).
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    scaled = np.empty_like(probabilities)
    for one, other in (halves, halves[::-1]):
        temperature = fit_temperature(probabilities[other], labels[other])
        scaled[one] = scale(probabilities[one], temperature)
    return scaled
