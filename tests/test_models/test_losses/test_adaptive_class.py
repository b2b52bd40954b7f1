import pytest
import torch
from mmpretrain.registry import MODELS
from ranks import in_two_processes

from eac_mm.models.losses import AdaptiveClassLoss

# Of two samples of class 0 and one of class 1: p_y is 1/2, 1/4 and 3/4.
PROBABILITIES = torch.tensor(
    [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.125, 0.75, 0.125]]
)
LOGITS = PROBABILITIES.log()
LABELS = torch.tensor([0, 0, 1])


def make_loss(**kwargs):
    return MODELS.build(dict(type='AdaptiveClassLoss', num_classes=3, **kwargs))


def test_the_first_step_is_plain_and_confidences_move_by_hand():
    loss = make_loss(momentum=0.5)
    assert torch.equal(loss.class_weights(), torch.ones(3))
    value = loss(LOGITS, LABELS)
    expected = -(PROBABILITIES[range(3), LABELS]).log().mean()
    torch.testing.assert_close(value, expected)
    # Half of 1/3 and half of 3/8 or 3/4; class 2 has no samples.
    confidence = torch.tensor([1 / 6 + 3 / 16, 1 / 6 + 3 / 8, 1 / 3])
    torch.testing.assert_close(loss.confidence, confidence)
    assert 'confidence' in loss.state_dict()


def test_weights_and_gradients_by_hand():
    loss = make_loss().eval()
    loss.confidence.copy_(torch.tensor([0.25, 0.75, 0.5]))
    # 3/4, 1/4 and 1/2, divided by their mean of 1/2
    torch.testing.assert_close(loss.class_weights(), torch.tensor([1.5, 0.5, 1.0]))
    logits = LOGITS.clone().requires_grad_()
    value = loss(logits, LABELS, avg_factor=3)
    p = PROBABILITIES
    expected = -(1.5 * p[0, 0].log() + 1.5 * p[1, 0].log() + 0.5 * p[2, 1].log()) / 3
    torch.testing.assert_close(value, expected)
    value.backward()
    weights = torch.tensor([1.5, 1.5, 0.5])[:, None] / 3
    one_hot = torch.eye(3)[LABELS]
    torch.testing.assert_close(logits.grad, weights * (p - one_hot))
    assert torch.equal(loss.confidence, torch.tensor([0.25, 0.75, 0.5]))  # eval mode


def test_classes_that_are_certain_divide_nothing():
    loss = make_loss()
    loss.confidence.fill_(1.0)
    assert loss(LOGITS, LABELS).isfinite()


def test_bfloat16_logits_give_float32():
    with torch.autocast('cpu', torch.bfloat16):
        loss = make_loss()
        value = loss(LOGITS.bfloat16(), LABELS)
    assert value.dtype == loss.confidence.dtype == torch.float32
    torch.testing.assert_close(value, make_loss()(LOGITS.bfloat16().float(), LABELS))


def test_a_momentum_that_is_refused():
    with pytest.raises(ValueError, match=r'momentum=1.5 .* Fix: 0.99'):
        make_loss(momentum=1.5)


def step_on_rank(rank):
    loss = AdaptiveClassLoss(3, momentum=0.0)
    part = slice(0, 2) if rank == 0 else slice(2, 3)
    loss(LOGITS[part], LABELS[part])
    return loss.confidence.tolist()


def test_two_processes_average_over_all_samples():
    one, other = in_two_processes(step_on_rank)
    assert one == other
    assert one == pytest.approx([3 / 8, 3 / 4, 1 / 3])
