import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, f1_score

from eac_mm.evaluation import MeanClass


def evaluate(predicted, true, classes=(), batch=4, **options):
    metric = MeanClass(**options)
    metric.dataset_meta = dict(classes=list(classes))
    for start in range(0, len(true), batch):
        part = slice(start, start + batch)
        samples = [
            dict(pred_label=torch.tensor([p]), gt_label=torch.tensor([t]))
            for p, t in zip(predicted[part], true[part], strict=True)
        ]
        metric.process({}, samples)
    return metric.evaluate(len(true))


def test_by_hand():
    # class 0: 3 of 4 right, predicted 4 times; class 1: 1 of 2, predicted twice
    found = evaluate([0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1])
    assert found['mean_class/accuracy'] == pytest.approx((75 + 50) / 2)
    assert found['mean_class/f1'] == pytest.approx((75 + 50) / 2)
    assert set(found) == {'mean_class/accuracy', 'mean_class/f1'}


@pytest.mark.parametrize('seed', range(5))
def test_against_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    true = rng.choice(7, 200, p=[0.5, 0.2, 0.1, 0.1, 0.06, 0.04, 0])  # none of class 6
    predicted = np.where(rng.random(200) < 0.6, true, rng.integers(7, size=200))
    assert 6 in predicted
    found = evaluate(predicted.tolist(), true.tolist(), classes='abcdefg')
    expected = balanced_accuracy_score(true, predicted)
    assert found['mean_class/accuracy'] == pytest.approx(100 * expected, abs=1e-4)
    expected = f1_score(true, predicted, labels=np.unique(true), average='macro')
    assert found['mean_class/f1'] == pytest.approx(100 * expected, abs=1e-4)


def test_a_class_without_images_does_not_count():
    found = evaluate([0, 2, 2], [0, 2, 0], classes='abcd', by_class=True)
    assert found['mean_class/accuracy'] == 75.0
    assert found['mean_class/accuracy_by_class'] == [50.0, None, 100.0, None]


def test_a_model_that_knows_one_class():
    found = evaluate([0] * 10, [0] * 9 + [1], classes='ab')
    assert found['mean_class/accuracy'] == 50.0  # where accuracy is 90
