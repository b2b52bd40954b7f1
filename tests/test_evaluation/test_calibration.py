import numpy as np
import pytest

from eac_mm.evaluation.calibration import (
    cross_fitted,
    fit_temperature,
    reliability,
    scale,
)


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def drawn(size, temperature=1.0, seed=0):
    """Probabilities, and labels drawn from them at another temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (size, 4))
    true = softmax(logits / temperature).cumsum(1)
    return softmax(logits), (rng.random((size, 1)) > true).sum(1)


def test_reliability_by_hand():
    # Confidences 0.9 and 1.0 (both right), 0.7 (wrong), 0.8 (right), 0.5 (wrong).
    first = np.array([0.9, 1.0, 0.7, 0.8, 0.5])
    labels = np.array([0, 0, 1, 0, 1])
    found = reliability(np.stack([first, 1 - first], 1), labels, bins=4)
    # Bins end at 0.25, 0.5, 0.75 and 1.
    assert found.count.tolist() == [0, 1, 1, 3]
    assert found.confidence[1:].tolist() == pytest.approx([0.5, 0.7, 0.9])
    assert found.accuracy[1:].tolist() == [0, 0, 1]
    assert np.isnan(found.confidence[0]) and np.isnan(found.accuracy[0])
    assert found.error == pytest.approx((0.5 * 1 + 0.7 * 1 + 0.1 * 3) / 5)


def test_a_calibrated_network_has_a_small_error():
    probabilities, labels = drawn(40_000)
    assert reliability(probabilities, labels).error < 0.01
    # Twice the logits: too sure.
    assert reliability(scale(probabilities, 0.5), labels).error > 0.05


def test_scale_is_a_division_of_logits():
    logits = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
    assert np.allclose(scale(softmax(logits), 2.5), softmax(logits / 2.5))
    assert scale(np.array([[1.0, 0.0]]), 3.0).tolist() == [
        pytest.approx([1, 0], abs=1e-3)
    ]


@pytest.mark.parametrize('temperature', [0.5, 1.0, 2.5])
def test_the_temperature_is_found(temperature):
    probabilities, labels = drawn(20_000, temperature)
    assert fit_temperature(probabilities, labels) == pytest.approx(temperature, rel=0.1)


def test_cross_fitting_calibrates_without_knowing_the_labels_it_scales():
    probabilities, labels = drawn(20_000, 2.0)
    before = reliability(probabilities, labels).error
    after = reliability(cross_fitted(probabilities, labels), labels).error
    assert after < before / 5
    # A half is scaled by the other half's labels alone.
    half = np.random.default_rng(0).permutation(len(labels))[: len(labels) // 2]
    changed = labels.copy()
    changed[half] = (changed[half] + 1) % 4
    same = cross_fitted(probabilities, labels)[half]
    assert np.array_equal(cross_fitted(probabilities, changed)[half], same)
