import numpy as np
import pytest

from eac_mm.utils.fold_predictions import read_fold_predictions, write_fold_predictions

SAMPLES = dict(
    noisy_labels=np.array([0, 1, 1]),
    clean_labels=np.array([0, 1, 0]),
    classes=np.array(['sad', 'fear']),
    paths=np.array(['1.png', '2.png', '3.png']),
)
SHARES = np.array([[0.75, 0.25], [0.5, 0.5], [0.125, 0.875]])


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / 'folds.npz'
    facts = dict(samples=3, names='ab')
    write_fold_predictions(path, SAMPLES, SHARES, 5, 121.0, facts)
    found = read_fold_predictions(path)
    assert found.probabilities.tolist() == SHARES.tolist()
    assert found.noisy_labels.tolist() == [0, 1, 1]
    assert found.clean_labels.tolist() == [0, 1, 0]
    assert (found.classes, found.paths[2]) == (('sad', 'fear'), '3.png')
    assert (found.folds, found.passes, found.fingerprint) == (5, 121, facts)


def test_what_is_not_known_is_none(tmp_path):
    samples = dict(SAMPLES, clean_labels=None, paths=None)
    write_fold_predictions(tmp_path / 'f.npz', samples, SHARES, 2, None, {})
    found = read_fold_predictions(tmp_path / 'f.npz')
    assert (found.clean_labels, found.paths, found.passes) == (None, None, None)


def test_another_file(tmp_path):
    np.savez(tmp_path / 'other.npz', probabilities=SHARES)
    with pytest.raises(ValueError, match='no classes, facts, noisy_labels: .*Fix: '):
        read_fold_predictions(tmp_path / 'other.npz')
    (tmp_path / 'broken.npz').write_bytes(b'PK')
    with pytest.raises(ValueError, match='cannot be read'):
        read_fold_predictions(tmp_path / 'broken.npz')
