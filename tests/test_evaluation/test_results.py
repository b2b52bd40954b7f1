import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from eac_mm.evaluation.results import by_class, calibration, confusion

CLASSES = ('surprise', 'fear', 'sad', 'contempt')  # contempt has no image


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(4), 300)
    labels = rng.integers(0, 3, 300)
    table = pd.DataFrame(scores, columns=[f'p_{name}' for name in CLASSES])
    table['label'] = [CLASSES[i] for i in labels]
    table['prediction'] = [CLASSES[i] for i in scores.argmax(1)]
    return table


def test_by_class_against_scikit_learn(table):
    rows = by_class(table, CLASSES)
    names = list(CLASSES)
    expected = precision_recall_fscore_support(
        table['label'], table['prediction'], labels=names, zero_division=0
    )
    assert rows['class'].tolist() == [*CLASSES, 'mean']
    found = rows[['precision', 'recall', 'f1']].to_numpy()
    assert np.allclose(found[:4], 100 * np.array(expected[:3]).T, atol=1e-4)
    assert rows['images'].tolist() == [*expected[3], 300]
    assert rows['images'][3] == 0 < rows['predicted'][3]
    assert np.allclose(found[4], found[:3].mean(0))  # contempt does not count


def test_confusion_against_scikit_learn(table):
    expected = confusion_matrix(
        table['label'], table['prediction'], labels=list(CLASSES)
    )
    assert confusion(table, CLASSES).tolist() == expected.tolist()


def test_calibration(table):
    figures, before, after = calibration(table, CLASSES)
    # The labels have nothing to do with the scores: scaling makes them flat.
    assert figures['temperature'] > 5
    assert figures['error'] == before.error > 0.2
    assert figures['error_scaled'] == after.error < before.error / 2
