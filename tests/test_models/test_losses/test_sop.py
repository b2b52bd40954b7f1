import math

import pytest
import torch
from mmpretrain.structures import DataSample
from torch.nn import functional as F

from eac_mm.models.losses import SOPLoss

P = torch.tensor([[0.75, 0.25], [0.6, 0.4]])
LABELS = torch.tensor([1, 0])


def samples_of(*indices):
    return [DataSample(metainfo=dict(sample_idx=index)) for index in indices]


def make_loss(**kwargs):
    settings = dict(num_classes=2, lr_u=0.0, lr_v=0.0, start=0.5, reduction='none')
    loss = SOPLoss(**{**settings, **kwargs})
    loss.bank.resize(4)
    loss.bank.values[3] = torch.tensor([0.5, 0.6, 0.9])  # u, v of class 0 and 1
    return loss


def test_loss_by_hand():
    found = make_loss()(P[:1].log(), LABELS[:1], samples=samples_of(3))
    # U = (0, 0.25), V = (0.36, 0): p + U - V = (0.39, 0.5). The first class is the
    # likeliest: (1 - 0.36 - 0, 0 + 0.25 - 1) are left.
    expected = -math.log(0.5 / 0.89) + 0.64**2 + 0.75**2
    assert found.item() == pytest.approx(expected)


def test_steps_of_u_and_v_by_hand():
    loss = make_loss(lr_u=0.1, lr_v=0.2)
    loss(P.log(), LABELS, samples=samples_of(3, 0))
    # Means over two samples. U takes part in both terms, V in the square alone.
    slope_u = (-1 / 0.5 + 1 / 0.89) + 2 * -0.75
    slope_v = -2 * 0.64
    row = [
        0.5 - 0.1 / 2 * slope_u * 2 * 0.5,
        0.6 - 0.2 / 2 * slope_v * 2 * 0.6,
        0.9,  # the label's own class
    ]
    torch.testing.assert_close(loss.bank.values[3], torch.tensor(row))
    # The second sample: U = (0.25, 0), V = (0, 0.25), p + U - V = (0.85, 0.15);
    # (1 + 0.25 - 1, 0 - 0.25 - 0) are left.
    slope_u = (-1 / 0.85 + 1 / 1.0) + 2 * 0.25
    slope_v = -2 * -0.25
    row = [0.5 - 0.1 / 2 * slope_u, 0.5, 0.5 - 0.2 / 2 * slope_v]
    torch.testing.assert_close(loss.bank.values[0], torch.tensor(row))
    assert loss.bank.values[1:3].tolist() == [[0.5] * 3] * 2


def test_u_and_v_are_clipped_to_one():
    loss = make_loss(lr_u=1.0, lr_v=1.0)
    loss.bank.values[0] = 3.0
    found = loss(P[:1].log(), LABELS[:1], samples=samples_of(0))
    # U = (0, 1), V = (1, 0): max(0.75 - 1, 1e-4) and 1.25; nothing is left
    assert found.item() == pytest.approx(-math.log(1.25 / 1.2501), abs=1e-6)
    assert loss.bank.values[0].tolist() == [3.0] * 3


def test_gradients_of_the_network_against_differences():
    loss = make_loss(balance=0.3)
    logits = P.log().double().requires_grad_()
    labels, indices = F.one_hot(LABELS, 2).double(), torch.tensor([3, 0])
    assert torch.autograd.gradcheck(
        lambda z: loss.by_sample(z, labels, indices), logits
    )


def test_classes_in_balance():
    words = dict(samples=samples_of(3, 0))
    plain = make_loss()(P.log(), LABELS, **words)
    balanced = make_loss(balance=0.1)(P.log(), LABELS, **words)
    # p hat is (0.39, 0.5) / 0.89 and (0.85, 0.15)
    mean = [(0.39 / 0.89 + 0.85) / 2, (0.5 / 0.89 + 0.15) / 2]
    extra = -0.1 * (math.log(mean[0]) + math.log(mean[1])) / 2
    torch.testing.assert_close(balanced, plain + extra)


def test_view_2_must_follow_view_1():
    rows = torch.cat((P, torch.tensor([[0.5, 0.5], [0.9, 0.1]]))).log().requires_grad_()
    labels, words = LABELS.repeat(2), dict(samples=samples_of(3, 0, 3, 0))
    plain = make_loss()(P.log(), LABELS, **words)
    found = make_loss(consistency=0.9)(rows, labels, **words)
    divergence = [
        0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5),
        0.6 * math.log(0.6 / 0.9) + 0.4 * math.log(0.4 / 0.1),
    ]
    expected = plain + 0.9 * torch.tensor(divergence)
    torch.testing.assert_close(found, expected.repeat(2))
    # The divergence moves view 2 alone.
    found[:2].sum().backward()
    one = P.log().requires_grad_()
    make_loss()(one, LABELS, **words).sum().backward()
    torch.testing.assert_close(rows.grad[:2], one.grad)
    other = torch.tensor([[0.5, 0.5], [0.9, 0.1]])
    torch.testing.assert_close(rows.grad[2:], 0.9 * (other - P))


def test_small_probabilities_in_bfloat16():
    logits = torch.tensor([[80.0, 0.0]], requires_grad=True)
    loss = make_loss(start=1e-8, lr_u=1.0, lr_v=1.0, reduction='mean')
    with torch.autocast('cpu', torch.bfloat16):
        found = loss(logits, torch.tensor([1]), samples=samples_of(0))
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(-math.log(1e-4 / 1.0001) + 2)
    # Clipping leaves the square's slope to u: 2 (0 - 1) * 2 u. The same for v.
    expected = torch.tensor([1e-8 * (1 + 4), 1e-8 * (1 + 4), 1e-8])
    torch.testing.assert_close(loss.bank.values[0], expected)
    found.backward()
    assert logits.grad.isfinite().all()


def test_mistakes():
    for name in ('lr_u', 'lr_v', 'balance', 'consistency'):
        with pytest.raises(ValueError, match=f'SOPLoss: {name}=-1. Fix: give 0'):
            make_loss(**{name: -1})
    with pytest.raises(ValueError, match='start=0, and u and v cannot leave 0. Fix'):
        make_loss(start=0)
