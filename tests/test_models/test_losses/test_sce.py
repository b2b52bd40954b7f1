import math

import pytest
import torch
from torch.nn import functional as F

from eac_mm.models.losses import SCELoss

# Probabilities 1/2, 1/4, 1/4 and 1/6, 1/3, 1/2.
LOGITS = torch.tensor([[2.0, 1.0, 1.0], [1.0, 2.0, 3.0]]).log()
LABELS = torch.tensor([1, 2])


def test_by_hand():
    loss = SCELoss(alpha=2.0, beta=3.0, floor=math.exp(-4), reduction='none')
    # 2 log 4 + 3 * 4 * (1 - 1/4), and 2 log 2 + 3 * 4 * (1 - 1/2)
    expected = torch.tensor([2 * math.log(4) + 9, 2 * math.log(2) + 6])
    torch.testing.assert_close(loss(LOGITS, LABELS), expected)


def test_gradients_by_hand():
    logits = LOGITS.clone().requires_grad_()
    loss = SCELoss(alpha=2.0, beta=3.0, floor=math.exp(-4), reduction='sum')
    loss(logits, LABELS).backward()
    p, label = LOGITS.softmax(1), F.one_hot(LABELS, 3)
    p_y = torch.tensor([[0.25], [0.5]])
    # d(1 - p_y) / dz = p_y (p - label)
    expected = 2 * (p - label) + 3 * 4 * p_y * (p - label)
    torch.testing.assert_close(logits.grad, expected)


def test_soft_targets_are_floored_class_by_class():
    soft = torch.tensor([[0.5, 0.5, 0.0]])
    loss = SCELoss(alpha=0.0, beta=1.0, floor=0.01)(LOGITS[:1], soft)
    expected = 0.75 * math.log(2) + 0.25 * math.log(100)
    assert loss.item() == pytest.approx(expected)


def test_bfloat16_does_not_reach_the_logarithms():
    exact = SCELoss()(LOGITS, LABELS)
    with torch.autocast('cpu', torch.bfloat16):
        torch.testing.assert_close(SCELoss()(LOGITS, LABELS), exact, rtol=0, atol=0)
    far = torch.tensor([[90.0, 0.0, 0.0]], requires_grad=True)
    SCELoss()(far, torch.tensor([2])).backward()
    assert far.grad.isfinite().all() and far.grad.any()


def test_mistakes():
    for weights in (dict(alpha=-1), dict(beta=-1), dict(alpha=0, beta=0)):
        with pytest.raises(ValueError, match='SCELoss: alpha=.* Fix: give weights'):
            SCELoss(**weights)
    with pytest.raises(ValueError, match='SCELoss: floor=1 is not'):
        SCELoss(floor=1)
