import pytest
import torch

from eac_mm.models.losses.classification import (
    ClassificationLoss,
    check_open_unit,
    distribution,
)

LOGITS = torch.tensor([[1.0, 2.0], [3.0, 5.0], [0.0, 8.0]])
LABELS = torch.tensor([0, 1, 1])


class Chosen(ClassificationLoss):
    """Logit of the target, times a factor."""

    def by_sample(self, logits, target, factor=1):
        self.seen = logits.dtype, target.dtype
        return factor * (logits * target).sum(1)


# The logits of the labels are 1, 5 and 8.
@pytest.mark.parametrize(
    ('settings', 'words', 'expected'),
    [
        ({}, {}, 14 / 3),
        ({}, dict(avg_factor=7), 2.0),
        (dict(reduction='sum'), {}, 14.0),
        (dict(loss_weight=3.0), dict(reduction_override='none'), [3.0, 15.0, 24.0]),
        ({}, dict(weight=torch.tensor([2.0, 0.0, 1.0])), 10 / 3),
        ({}, dict(factor=2), 28 / 3),
    ],
)
def test_reduction(settings, words, expected):
    loss = Chosen(**settings)(LOGITS, LABELS, **words)
    torch.testing.assert_close(loss, torch.tensor(expected))


def test_labels_and_distributions():
    soft = torch.tensor([[0.5, 0.5], [0.0, 1.0], [0.25, 0.75]], dtype=torch.float64)
    loss = Chosen(reduction='none')
    torch.testing.assert_close(loss(LOGITS, soft), torch.tensor([1.5, 5.0, 6.0]))
    one_hot = torch.tensor([[1.0, 0], [0, 1], [0, 1]])
    torch.testing.assert_close(distribution(LABELS, LOGITS), one_hot)


def test_float32_under_autocast():
    loss = Chosen()
    with torch.autocast('cpu', torch.bfloat16):
        loss(LOGITS.bfloat16(), LABELS)
    assert loss.seen == (torch.float32, torch.float32)


def test_mistakes():
    with pytest.raises(ValueError, match=r"reduction='max'. Fix: choose one of"):
        Chosen(reduction='max')
    with pytest.raises(ValueError, match=r'\(3, 2\) and a target of shape \(2,\). Fix'):
        Chosen()(LOGITS, LABELS[:2])
    for value in (0, 1, -0.1, 1.1):
        with pytest.raises(ValueError, match=f'q={value} is not .* Fix: 0.7'):
            check_open_unit('q', value, '0.7')
    check_open_unit('q', 0.5, '0.7')
