import pytest
import torch
from torch.nn import functional as F

from eac_mm.models.losses import GCELoss

# Probabilities 1/2, 1/4, 1/4 and 1/6, 1/3, 1/2.
LOGITS = torch.tensor([[2.0, 1.0, 1.0], [1.0, 2.0, 3.0]]).log()
LABELS = torch.tensor([1, 2])


def test_by_hand():
    # (1 - sqrt(p)) / 0.5 of p = 1/4 and 1/2
    loss = GCELoss(q=0.5, reduction='none')(LOGITS, LABELS)
    torch.testing.assert_close(loss, torch.tensor([1.0, 2 - 2**0.5]))


def test_between_cross_entropy_and_mean_absolute_error():
    ce = F.cross_entropy(LOGITS, LABELS)
    torch.testing.assert_close(GCELoss(q=1e-4)(LOGITS, LABELS), ce, rtol=1e-3, atol=0)
    # |1 - p_y| + the others, which is twice 1 - p_y
    mae = (LOGITS.softmax(1) - F.one_hot(LABELS, 3)).abs().sum(1).mean()
    torch.testing.assert_close(2 * GCELoss(q=1)(LOGITS, LABELS), mae)


def test_gradient_is_that_of_cross_entropy_times_a_power_of_p():
    logits = LOGITS.clone().requires_grad_()
    GCELoss(q=0.7, reduction='sum')(logits, LABELS).backward()
    p = LOGITS.softmax(1)
    expected = torch.tensor([[0.25], [0.5]]) ** 0.7 * (p - F.one_hot(LABELS, 3))
    torch.testing.assert_close(logits.grad, expected)


def test_soft_targets_weigh_the_classes():
    loss = GCELoss(reduction='none')
    each = torch.stack([loss(LOGITS, torch.full((2,), label)) for label in range(3)], 1)
    soft = torch.tensor([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    torch.testing.assert_close(loss(LOGITS, soft), (soft * each).sum(1))


def test_no_probability_is_too_small():
    logits = torch.tensor([[200.0, 0.0]], requires_grad=True)
    with torch.autocast('cpu', torch.bfloat16):
        loss = GCELoss(q=0.7)(logits, torch.tensor([1]))
    loss.backward()
    assert loss.item() == pytest.approx(1 / 0.7)
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize('q', [0, -0.5, 1.1])
def test_q_out_of_range(q):
    with pytest.raises(ValueError, match=r'q=.* is not in \(0, 1\]. Fix: 0.7'):
        GCELoss(q=q)
