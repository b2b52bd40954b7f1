import math

import pytest
import torch
from mmpretrain.structures import DataSample

from eac_mm.models.losses import LogitAdjustedLoss

LOGITS = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 2.0]])
LABELS = torch.tensor([0, 0, 1])


def samples_of(*indices):
    return [DataSample(metainfo=dict(sample_idx=index)) for index in indices]


def make_loss(size=5, **kwargs):
    loss = LogitAdjustedLoss(num_classes=2, **kwargs)
    loss.labels.resize(size)
    return loss


def test_value_by_hand():
    # Labels seen: 0, 0, 1; with one more of each: 3/5 and 2/5.
    found = make_loss(tau=0.5)(LOGITS, LABELS, samples=samples_of(4, 0, 2))
    a, b = math.sqrt(0.6), math.sqrt(0.4)
    probabilities = [
        a * math.e / (a * math.e + b),
        a / (a + b),
        b * math.e**2 / (a + b * math.e**2),
    ]
    expected = -sum(map(math.log, probabilities)) / 3
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_each_sample_is_counted_once():
    loss = make_loss()
    for _ in range(3):
        loss(LOGITS, LABELS, samples=samples_of(4, 0, 2))
    assert loss.labels.values.tolist() == [0, -1, 1, -1, 0]
    torch.testing.assert_close(loss.class_shares(), torch.tensor([0.6, 0.4]))
    loss(LOGITS[:2], torch.tensor([1, 1]), samples=samples_of(1, 3))
    torch.testing.assert_close(loss.class_shares(), torch.tensor([3 / 7, 4 / 7]))


def test_tau_0_is_the_inner_loss():
    inner = dict(type='LabelSmoothLoss', label_smooth_val=0.2)
    found = make_loss(tau=0, loss=inner)(LOGITS, LABELS, samples=samples_of(0, 1, 2))
    # The mode 'original': 0.9 for the label and 0.1 for the other of two classes.
    rows = zip(LOGITS.log_softmax(1), LABELS.tolist(), strict=True)
    expected = -sum(0.9 * row[y] + 0.1 * row[1 - y] for row, y in rows) / 3
    torch.testing.assert_close(found, expected)


def test_inner_loss_with_a_bank_gets_the_samples():
    loss = make_loss(tau=0.5, loss=dict(type='ELRLoss', num_classes=2))
    loss.loss.bank.resize(5)
    loss(LOGITS, LABELS, samples=samples_of(4, 0, 2))
    # ELR's targets are 0.3 p, with p of the adjusted logits.
    a, b = math.sqrt(0.6), math.sqrt(0.4)
    expected = torch.tensor([0.3 * a / (a + b), 0.3 * b / (a + b)])
    torch.testing.assert_close(loss.loss.bank.values[0], expected)
    assert not loss.loss.bank.values[[1, 3]].any()


def test_gradient_and_half_precision():
    loss = make_loss(tau=1.0)
    logits = LOGITS.to(torch.bfloat16).requires_grad_()
    with torch.autocast('cpu', torch.bfloat16):
        loss(logits, LABELS, samples=samples_of(4, 0, 2)).backward()
    shares = torch.tensor([0.6, 0.4])
    p = shares * LOGITS.exp()
    expected = (p / p.sum(1, keepdim=True) - torch.eye(2)[LABELS]) / 3
    torch.testing.assert_close(logits.grad.float(), expected, atol=4e-3, rtol=0)


def test_mistakes():
    with pytest.raises(ValueError, match='tau=-1. Fix: give 0 or more'):
        make_loss(tau=-1)
    with pytest.raises(ValueError, match='LogitAdjustedLoss keeps a row .* Fix: '):
        make_loss()(LOGITS, LABELS)
    with pytest.raises(ValueError, match='LogitAdjustedLoss .* a mix of two'):
        make_loss()(LOGITS, torch.eye(2)[LABELS], samples=samples_of(0, 1, 2))
