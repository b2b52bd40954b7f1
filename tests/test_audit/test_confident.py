import sys

import numpy as np
import pytest

from eac_mm.audit import confident

LABELS = np.array([0, 0, 1, 1])
AVERAGED = np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [np.nan, np.nan]])


def test_scores_are_one_minus_the_published_quality():
    """Self-confidence p_y; margin (p_y - max other + 1) / 2."""
    one = np.array([[0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [np.nan, np.nan]])
    two = np.where(np.arange(4)[:, None] == 1, np.nan, one)
    scores = confident.quality_scores(LABELS, AVERAGED, [one, two])
    nan = np.nan
    expected = dict(
        cleanlab_self_confidence=[0.1, 0.7, 0.2, nan],
        cleanlab_normalized_margin=[0.1, 0.7, 0.2, nan],
        # Both epochs are as accurate; sample 1 has 0.3 in the first and in the average.
        cleanlab_ensemble=[0.2, 0.7, 0.4, nan],
    )
    for name, values in expected.items():
        np.testing.assert_allclose(scores[name], values, err_msg=name)
    entropy = scores['cleanlab_confidence_weighted_entropy'][:3]
    assert entropy.argsort().tolist() == [0, 2, 1]


def made(rate=0.25, size=400):
    """Labels of two classes, of which a share of class 0 is called 1, and a network
    that is right 19 times of 20."""
    true = np.repeat([0, 1], size)
    labels = true.copy()
    labels[: int(rate * size)] = 1
    probabilities = np.where(true[:, None] == [0, 1], 0.95, 0.05)
    return labels, true, probabilities


def test_estimates_of_a_network_that_is_sure():
    labels, true, probabilities = made()
    number, noise = confident.estimate_noise(labels, probabilities)
    assert number == 100
    # True 0 (row) is called 1 in a quarter of the cases; true 1 never is called 0.
    np.testing.assert_allclose(noise, [[0.75, 0.25], [0, 1]], atol=0.01)
    found = confident.find_issues(labels, probabilities)
    np.testing.assert_array_equal(found, labels != true)


def test_samples_that_were_never_served_do_not_count():
    labels, true, probabilities = made()
    probabilities[0] = np.nan
    assert confident.estimate_noise(labels, probabilities)[0] == 99
    found = confident.find_issues(labels, probabilities)
    assert found.sum() == 99 and not found[0]


def test_classes_are_described():
    labels, _, probabilities = made()
    found = confident.describe_classes(labels, probabilities, ('sad', 'fear'))
    assert found['health'] == 700 / 800
    worst = found['class_quality'][0]
    # Of the 500 labels fear, 100 are wrong.
    assert (worst['class_name'], worst['label_noise']) == ('fear', 0.2)
    (pair,) = found['overlaps']
    assert {pair['class_name_a'], pair['class_name_b']} == {'sad', 'fear'}
    assert pair['num_overlapping_examples'] == 100


def test_cleanlab_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cleanlab', None)
    with pytest.raises(ImportError, match=r'Fix: pip install "eac_mm\[audit\]"'):
        confident.load_cleanlab()
