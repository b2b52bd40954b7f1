import numpy as np
import pytest
from recorded import record

from eac_mm.audit import read_evidence, read_records
from eac_mm.audit.confident import METHODS
from eac_mm.audit.measure import measure_scores
from eac_mm.utils.fold_predictions import write_fold_predictions

CLEAN = [0, 0, 0, 1, 1, 1]
NOISY = [0, 0, 1, 1, 1, 0]  # samples 2 and 5 are wrong


def run(folder, sure, noisy=NOISY, epochs=2, **samples):
    """A network of one view; ``sure`` are the logits of class 0."""
    logits = [[[value, 0] for value in sure]]
    record(folder, [logits] * epochs, noisy, ('a', 'b'), **samples)
    return read_records(folder)


def row(table, score):
    return table.set_index('score').loc[score]


def test_values_by_hand(tmp_path):
    """Suspicion by loss: samples 2 (2), 1 (1), 5 (-0.5), 0 and 4 (-1), 3 (-2)."""
    sure = [1, -1, 2, -2, -1, 0.5]
    table = measure_scores([run(tmp_path, sure, clean_labels=CLEAN)])
    found = row(table, 'negative_aum')
    # Of the 8 pairs of a wrong and a right label, only (5, 1) is in the wrong order.
    assert found.auroc == 7 / 8
    # Label a: 5 among 0 and 1; label b: 2 among 3 and 4. Again
    # only (5, 1) is in the wrong order.
    assert found.auroc_same_label == 3 / 4
    # Wrong ones at ranks 1 and 3
    assert found.average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert found.precision == 1 / 2
    assert (found.samples, found.wrong, found.passes) == (6, 2, 2)
    # Sample 2 is predicted 0, which is right; sample 5 is predicted 0, its noisy label.
    assert found.suggested == 1 / 2
    assert table[table.default].score.tolist() == ['mean_loss']
    assert table.auroc.is_monotonic_decreasing


def test_runs_are_averaged(tmp_path):
    one = run(tmp_path / 'one', [1, -1, 2, -2, -1, 0.5], clean_labels=CLEAN)
    # The average of sample 1 is 1, and of sample 5 is -1: the order is right.
    two = run(tmp_path / 'two', [1, 3, 2, -2, -1, -2.5], clean_labels=CLEAN, epochs=3)
    found = row(measure_scores([one, two]), 'negative_aum')
    assert (found.auroc, found.average_precision, found.precision) == (1, 1, 1)
    assert found.passes == 2 + 3
    assert found.suggested == 1


def test_pairs_of_the_same_label_count_alike(tmp_path):
    """Label a: 1 right, 1 wrong; label b: 3 right, 1 wrong, which is 3 of 4 pairs."""
    clean, noisy = [0, 1, 1, 1, 1, 0], [0, 0, 1, 1, 1, 1]
    # Suspicion of label a: 2 (right), -1 (wrong); of label b: -1, -1, 0 and 1 (wrong).
    sure = [-2, 1, -1, -1, 0, 1]
    found = row(
        measure_scores([run(tmp_path, sure, noisy, clean_labels=clean)]), 'negative_aum'
    )
    assert found.auroc_same_label == 3 / 4


def test_no_label_has_wrong_and_right_samples(tmp_path):
    noisy, clean = [0, 0, 1, 1], [0, 0, 0, 0]
    one = run(tmp_path, [2, 1, -1, 3], noisy, clean_labels=clean)
    found = row(measure_scores([one]), 'negative_aum')
    assert np.isnan(found.auroc_same_label)


def test_a_sample_that_was_never_served_is_the_least_suspect(tmp_path):
    sure = [np.nan, -1, 2, -2, -1, 0.5]
    found = row(measure_scores([run(tmp_path, sure, clean_labels=CLEAN)]), 'mean_loss')
    assert found.auroc == 7 / 8


def folds(path, shares, passes):
    """Predictions over folds; ``shares`` are the probabilities of class 0."""
    samples = dict(
        noisy_labels=np.array(NOISY),
        clean_labels=np.array(CLEAN),
        classes=np.array(['a', 'b']),
    )
    shares = np.array(shares)
    predicted = np.stack([shares, 1 - shares], 1)
    write_fold_predictions(path, samples, predicted, 5, passes, {})
    return read_evidence(path)


def test_folds_by_hand(tmp_path):
    """1 - the label's probability: .25, .75, .875, .125, .25, .375."""
    shares = [0.75, 0.25, 0.875, 0.125, 0.25, 0.625]
    one = folds(tmp_path / 'folds.npz', shares, passes=121)
    table = measure_scores([one])
    assert set(table.score) == {f'cleanlab_{method}' for method in METHODS}
    found = row(table, 'cleanlab_self_confidence')
    # As above, only sample 5 and sample 1 are in the wrong order.
    assert (found.auroc, found.precision, found.passes) == (7 / 8, 1 / 2, 121)
    assert table[table.default].score.tolist() == ['cleanlab_self_confidence']
    unknown = folds(tmp_path / 'iterations.npz', shares, passes=None)
    assert measure_scores([one, unknown]).passes.isna().all()
    recorded = run(tmp_path / 'run', [1, -1, 2, -2, -1, 0.5], clean_labels=CLEAN)
    with pytest.raises(ValueError, match='different scores.*Fix: '):
        measure_scores([one, recorded])


def test_refusals(tmp_path):
    sure = [1, -1, 2, -2, -1, 0.5]
    one = run(tmp_path / 'one', sure, clean_labels=CLEAN)
    other = run(tmp_path / 'other', sure, CLEAN, clean_labels=CLEAN)
    with pytest.raises(ValueError, match='other labels.*Fix: runs that differ'):
        measure_scores([one, other])
    with pytest.raises(ValueError, match='knows of no wrong label.*Fix: '):
        measure_scores([other])
    with pytest.raises(ValueError, match='knows of no wrong label'):
        measure_scores([run(tmp_path / 'unknown', sure)])
