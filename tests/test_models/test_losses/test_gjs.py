import math

import pytest
import torch
from scipy.special import rel_entr
from torch.nn import functional as F

from eac_mm.models.losses import GJSLoss

# Two samples, both views: probabilities of all rows
P = torch.tensor([[2.0, 1, 1], [1, 2, 3], [1, 1, 2], [3, 2, 1]])
P = P / P.sum(1, keepdim=True)
LABELS = torch.tensor([1, 2, 1, 2])


def divergence(parts, weights):
    """Mean Kullback-Leibler divergence from the mean, which entropies equal."""
    mean = sum(w * part for w, part in zip(weights, parts, strict=True))
    return sum(
        w * rel_entr(part, mean).sum() for w, part in zip(weights, parts, strict=True)
    )


@pytest.mark.parametrize('pi', [0.1, 0.3, 0.9])
def test_against_mean_divergence_from_the_mean(pi):
    loss = GJSLoss(label_weight=pi, reduction='none')(P.log(), LABELS)
    labels = F.one_hot(LABELS, 3).double().numpy()
    p = P.double().numpy()
    weights = (pi, (1 - pi) / 2, (1 - pi) / 2)
    expected = [
        divergence((labels[i], p[i], p[i + 2]), weights)
        / (-(1 - pi) * math.log(1 - pi))
        for i in range(2)
    ]
    expected = torch.tensor([*expected, *expected], dtype=torch.float32)
    torch.testing.assert_close(loss, expected)


def test_one_view_by_hand():
    loss = GJSLoss(label_weight=0.5, views=1)(
        torch.tensor([[0.5, 0.5]]).log(), torch.tensor([0])
    )
    # H(3/4, 1/4) - 1/2 H(1/2, 1/2), over 1/2 log 2
    mixed = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    expected = (mixed - 0.5 * math.log(2)) / (0.5 * math.log(2))
    assert loss.item() == pytest.approx(expected)


def test_between_cross_entropy_and_mean_absolute_error():
    logits, labels = P[:2].log(), LABELS[:2]
    near_ce = GJSLoss(label_weight=1e-3, views=1)(logits, labels)
    torch.testing.assert_close(
        near_ce, F.cross_entropy(logits, labels), rtol=0.01, atol=0
    )
    near_mae = GJSLoss(label_weight=1 - 1e-6, views=1)(logits, labels)
    wrong = 1 - P[[0, 1], labels]
    torch.testing.assert_close(near_mae, wrong.mean(), rtol=0.1, atol=0)


def test_views_that_agree_with_the_label_lose_nothing_and_both_learn():
    sure = torch.tensor([[60.0, 0.0], [60.0, 0.0]])
    assert GJSLoss()(sure, torch.tensor([0, 0])).item() == pytest.approx(0, abs=1e-6)
    logits = P.log().requires_grad_()
    GJSLoss()(logits, LABELS).backward()
    assert logits.grad.abs().amax(1).min() > 0.01


def test_gradients_against_differences():
    logits = P.log().double().requires_grad_()
    loss = GJSLoss(reduction='none').by_sample
    labels = F.one_hot(LABELS, 3).double()
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), logits)


def test_soft_targets_have_an_entropy():
    soft = torch.tensor([[0.25, 0.75]])
    same = GJSLoss(views=1)(soft.log(), soft)
    assert same.item() == pytest.approx(0, abs=1e-6)


def test_probabilities_of_zero_in_bfloat16():
    logits = torch.tensor([[300.0, 0, 0], [300.0, 0, 0]], requires_grad=True)
    with torch.autocast('cpu', torch.bfloat16):
        loss = GJSLoss()(logits, torch.tensor([1, 1]))
    loss.backward()
    # The bound: nothing of the label is predicted.
    pi = 0.3
    bound = (-pi * math.log(pi) - 0.7 * math.log(0.7)) / (-0.7 * math.log(0.7))
    assert loss.item() == pytest.approx(bound)
    assert logits.grad.isfinite().all()


def test_mistakes():
    with pytest.raises(ValueError, match='GJSLoss: label_weight=1.0 is not between'):
        GJSLoss(label_weight=1.0)
    with pytest.raises(ValueError, match='not two views'):
        GJSLoss()(P.log(), torch.tensor([0, 1, 2, 0]))
