from math import log

import numpy as np
import pytest
from recorded import record

from eac_mm.audit import read_records
from eac_mm.audit.scores import (
    average,
    jensen_shannon,
    log_softmax,
    margin,
    score_labels,
)


def logits(*shares):
    """Logits of two classes; a share of 0.8 is log(4) : 0."""
    return [[log(share / (1 - share)), 0] for share in shares]


def scores_of(folder, *epochs, labels=(0, 0, 1, 1), disagreement=None):
    record(folder, epochs, labels, classes=('a', 'b'), disagreement=disagreement)
    return score_labels(read_records(folder))


@pytest.fixture
def two_epochs(tmp_path):
    """Probability of class a for four samples, in two epochs of two views."""
    first = [logits(0.8, 0.5, 0.8, 0.2), logits(0.5, 0.5, 0.8, 0.2)]
    second = [logits(0.2, 0.8, 0.2, 0.2), logits(0.8, 0.8, 0.8, 0.2)]
    disagreement = [[1, 2, 3, 4], [3, 2, 1, 0]]
    return scores_of(tmp_path, first, second, disagreement=disagreement)


def test_scores_by_hand(two_epochs):
    """The label has 0.8 then 0.2, 0.5 then 0.8, 0.2 then 0.8, 0.8 twice."""
    four, five = log(4), log(5)
    scores = two_epochs.scores
    expected = dict(
        last_loss=[five, five - four, five - four, five - four],
        mean_loss=[
            five - four / 2,
            (log(2) + five - four) / 2,
            five - four / 2,
            five - four,
        ],
        late_loss=[five, five - four, five - four, five - four],
        negative_aum=[0, -four / 2, 0, -four],
        improbability=[0.5, 0.35, 0.5, 0.2],
        negative_margin=[0, -0.3, 0, -0.6],
        wrong_events=[1, 0, 1, 0],
        attention_disagreement=[2, 2, 2, 2],
    )
    for name, values in expected.items():
        np.testing.assert_allclose(scores[name], values, atol=1e-3, err_msg=name)


def test_scores_of_view_2(two_epochs):
    """The label has 0.5 then 0.8, 0.5 then 0.8, 0.2 twice, 0.8 twice."""
    four, five = log(4), log(5)
    expected = dict(
        last_loss=[five - four, five - four, five, five - four],
        mean_loss=[
            (log(2) + five - four) / 2,
            (log(2) + five - four) / 2,
            five,
            five - four,
        ],
        improbability=[0.35, 0.35, 0.8, 0.2],
        negative_margin=[-0.3, -0.3, 0.6, -0.6],
        negative_aum=[-four / 2, -four / 2, four, -four],
        wrong_events=[0, 0, 2, 0],
    )
    for name, values in expected.items():
        found = two_epochs.scores[f'{name}_view2']
        np.testing.assert_allclose(found, values, atol=1e-3, err_msg=name)


def test_probabilities_are_averaged_over_epochs_and_views(two_epochs):
    # Of class a: (0.8 + 0.5 + 0.2 + 0.8) / 4 and so on
    expected = [0.575, 0.65, 0.65, 0.2]
    np.testing.assert_allclose(two_epochs.probabilities[:, 0], expected, atol=1e-3)
    np.testing.assert_allclose(two_epochs.probabilities.sum(1), 1)


def test_view_disagreement(two_epochs):
    """Only sample 0 and, in epoch 2, sample 2 differ between the views."""

    def entropy(p):
        return -p * log(p) - (1 - p) * log(1 - p)

    first = entropy(0.65) - (entropy(0.8) + entropy(0.5)) / 2
    second = entropy(0.5) - entropy(0.8)
    expected = [(first + second) / 2, 0, second / 2, 0]
    found = two_epochs.scores.view_disagreement
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_one_view_has_no_scores_of_a_second(tmp_path):
    found = scores_of(tmp_path, [logits(0.8, 0.5, 0.8, 0.2)])
    assert not any('view' in name for name in found.scores)
    assert 'attention_disagreement' not in found.scores
    assert found.default == 'mean_loss'


def test_the_default_of_two_views(two_epochs):
    assert two_epochs.default == 'late_loss_view2'


def test_the_default_if_view_2_was_made_of_a_part(tmp_path):
    nothing = [np.nan, np.nan]
    first, second = logits(0.8, 0.5, 0.8, 0.2), [*logits(0.8, 0.5), nothing, nothing]
    found = scores_of(tmp_path, [first, second], [first, first])
    assert found.default == 'late_loss'


def test_the_late_loss_is_that_of_the_second_half(tmp_path):
    epochs = [[logits(share, *[0.5] * 3)] for share in (0.1, 0.2, 0.4, 0.5, 0.8)]
    scores = scores_of(tmp_path, *epochs).scores
    late = -(log(0.4) + log(0.5) + log(0.8)) / 3
    assert scores.late_loss[0] == pytest.approx(late, abs=1e-3)


def test_epochs_that_did_not_serve_a_sample_do_not_count(tmp_path):
    nothing = [np.nan, np.nan]
    first = [[logits(0.8)[0], nothing, *logits(0.5, 0.2)]]
    second = [[nothing, nothing, *logits(0.8, 0.2)]]
    found = scores_of(tmp_path, first, second)
    row = found.scores.iloc[0]
    assert row.mean_loss == row.last_loss == pytest.approx(-log(0.8), abs=1e-3)
    assert (row.wrong_events, row.improbability) == (0, pytest.approx(0.2, abs=1e-3))
    np.testing.assert_allclose(found.probabilities[0], [0.8, 0.2], atol=1e-3)
    # Sample 1 was never served.
    assert found.scores.iloc[1].drop('wrong_events').isna().all()
    assert np.isnan(found.probabilities[1]).all()


# parts


def test_margin():
    values = np.array([[3.0, 1, 2], [0, 5, 4]])
    assert margin(values, np.array([0, 2])).tolist() == [1, -1]


def test_log_softmax_of_large_logits():
    found = log_softmax(np.array([[65504.0, 0], [0, 0]]), axis=-1)
    np.testing.assert_allclose(found, [[0, -65504], [-log(2), -log(2)]])


def test_jensen_shannon_of_opposite_and_equal_views():
    views = np.array([[[1.0, 0], [0.3, 0.7]], [[0, 1], [0.3, 0.7]]])
    np.testing.assert_allclose(jensen_shannon(views), [log(2), 0], atol=1e-15)


def test_average():
    one = np.array([[0.2, 0.8], [np.nan, np.nan]])
    other = np.array([[0.4, 0.6], [np.nan, np.nan]])
    found = average([one, other])
    np.testing.assert_allclose(found, [[0.3, 0.7], [np.nan, np.nan]])
