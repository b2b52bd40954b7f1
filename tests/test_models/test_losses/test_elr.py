import math

import pytest
import torch
from mmpretrain.structures import DataSample

from eac_mm.models.losses import ELRLoss

P = torch.tensor([[0.8, 0.2], [0.5, 0.5]])
LABELS = torch.tensor([1, 0])


def samples_of(*indices):
    return [DataSample(metainfo=dict(sample_idx=index)) for index in indices]


def make_loss(**kwargs):
    loss = ELRLoss(num_classes=2, **kwargs)
    loss.bank.resize(3)
    return loss


def test_two_steps_by_hand():
    loss = make_loss(beta=0.7, weight=3.0, reduction='none')
    words = dict(samples=samples_of(2, 0))
    # t = 0.3 p; <t, p> = 0.3 * 0.68 and 0.3 * 0.5
    found = loss(P.log(), LABELS, **words)
    expected = [
        -math.log(0.2) + 3 * math.log(1 - 0.204),
        -math.log(0.5) + 3 * math.log(1 - 0.15),
    ]
    torch.testing.assert_close(found, torch.tensor(expected))
    rows = torch.tensor([[0.15, 0.15], [0, 0], [0.24, 0.06]])
    torch.testing.assert_close(loss.bank.values, rows)
    # The same predictions again: t = 0.51 p
    found = loss(P.log(), LABELS, **words)
    expected = [
        -math.log(0.2) + 3 * math.log(1 - 0.51 * 0.68),
        -math.log(0.5) + 3 * math.log(1 - 0.51 * 0.5),
    ]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_gradients_by_hand():
    loss = make_loss(beta=0.7, weight=3.0, reduction='sum')
    logits = P.log().requires_grad_()
    loss(logits, LABELS, samples=samples_of(2, 0)).backward()
    # p - y + lambda * p (<t, p> - t) / (1 - <t, p>), with t a constant
    t = 0.3 * P
    agreement = (t * P).sum(1, keepdim=True)
    expected = P - torch.eye(2)[LABELS] + 3 * P * (agreement - t) / (1 - agreement)
    torch.testing.assert_close(logits.grad, expected)


def test_without_weight_it_is_cross_entropy():
    found = make_loss(weight=0)(P.log(), LABELS, samples=samples_of(0, 1))
    assert found.item() == pytest.approx(-(math.log(0.2) + math.log(0.5)) / 2)


def test_sure_predictions_stay_finite_in_bfloat16():
    loss = make_loss(beta=0.1, weight=3.0)
    logits = torch.tensor([[60.0, 0.0]], requires_grad=True)
    with torch.autocast('cpu', torch.bfloat16):
        for _ in range(20):
            found = loss(logits, torch.tensor([0]), samples=samples_of(0))
    # <t, p> ends at (1 - 1e-4) ** 2 + 1e-8; in bfloat16 it would be 1
    expected = 3 * math.log(1 - (1 - 1e-4) ** 2 - 1e-8)
    assert found.item() == pytest.approx(expected, rel=1e-3)
    found.backward()
    assert logits.grad.isfinite().all()


def test_mistakes():
    with pytest.raises(ValueError, match='ELRLoss: beta=1 is not between .* Fix: 0.7'):
        make_loss(beta=1)
    with pytest.raises(ValueError, match='ELRLoss: weight=-1. Fix: give 0 or more'):
        make_loss(weight=-1)
