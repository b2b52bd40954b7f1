import math

import pytest
import torch
from mmpretrain.structures import DataSample

from eac_mm.models.losses import SELCLoss

P = torch.tensor([[0.8, 0.2], [0.5, 0.5]])
LABELS = torch.tensor([1, 0])
WORDS = dict(samples=[DataSample(metainfo=dict(sample_idx=i)) for i in (2, 0)])


def make_loss(**kwargs):
    loss = SELCLoss(num_classes=2, reduction='none', **{'warm_up': 5, **kwargs})
    loss.bank.resize(3)
    return loss


def test_labels_stay_in_the_first_epochs():
    loss = make_loss()
    loss.bank.epoch = 4
    found = loss(P.log(), LABELS, **WORDS)
    torch.testing.assert_close(found, torch.tensor([-math.log(0.2), -math.log(0.5)]))
    assert not loss.bank.values.any()


def test_then_they_follow_the_predictions():
    loss = make_loss()
    loss.bank.epoch = 5
    found = loss(P.log(), LABELS, **WORDS)
    # 0.9 (0, 1) + 0.1 (0.8, 0.2) and 0.9 (1, 0) + 0.1 (0.5, 0.5)
    rows = torch.tensor([[0.95, 0.05], [0, 0], [0.08, 0.92]])
    torch.testing.assert_close(loss.bank.values, rows)
    expected = [-0.08 * math.log(0.8) - 0.92 * math.log(0.2), -math.log(0.5)]
    torch.testing.assert_close(found, torch.tensor(expected))
    # 0.9 (0.08, 0.92) + 0.1 (0.8, 0.2)
    loss(P.log(), LABELS, **WORDS)
    torch.testing.assert_close(loss.bank.values[2], torch.tensor([0.152, 0.848]))


def test_gradient_is_that_of_cross_entropy_with_the_new_labels():
    loss = make_loss(warm_up=0)
    logits = P.log().requires_grad_()
    loss(logits, LABELS, **WORDS).sum().backward()
    labels = torch.tensor([[0.08, 0.92], [0.95, 0.05]])
    torch.testing.assert_close(logits.grad, P - labels)


def test_float32_under_autocast():
    loss, exact = make_loss(warm_up=0), make_loss(warm_up=0)
    with torch.autocast('cpu', torch.bfloat16):
        found = loss(P.log(), LABELS, **WORDS)
    assert torch.equal(found, exact(P.log(), LABELS, **WORDS))
    assert torch.equal(loss.bank.values, exact.bank.values)


def test_mistakes():
    with pytest.raises(ValueError, match='SELCLoss: momentum=1 is not between'):
        make_loss(momentum=1)
    with pytest.raises(ValueError, match='SELCLoss: warm_up=-1. Fix: give 0 epochs'):
        make_loss(warm_up=-1)
