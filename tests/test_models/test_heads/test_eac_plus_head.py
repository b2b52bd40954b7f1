import math

import pytest
import torch
from mmpretrain.structures import DataSample
from torch.nn import functional as F

from eac_mm.models.heads import EACHead, EACPlusHead

FEATS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
LABELS = [0, 0, 1, 1]


def samples_of(labels=LABELS, first=0):
    samples = []
    for index, label in enumerate(labels, start=first):
        sample = DataSample(metainfo=dict(sample_idx=index)).set_gt_label(label)
        samples.append(sample)
    return samples


def make_head(size=6, type=EACPlusHead, **kwargs):
    """Logits are the features themselves, so that p of class 0 is sigmoid(a - b)."""
    head = type(num_classes=2, in_channels=2, **kwargs)
    head.fc.weight.data = torch.eye(2)
    head.fc.bias.data.zero_()
    if type is EACPlusHead:
        head.agreement.resize(size)
    return head


def loss_of(head, view1, view2, samples):
    maps = [view[:, :, None, None].expand(-1, -1, 2, 2) for view in (view1, view2)]
    return head.loss((view1, view2), samples, feature_maps=tuple(maps))


# Of FEATS as view 2, by hand: the label has p = sigmoid(1), sigmoid(-1), sigmoid(-2)
# and sigmoid(2); by the larger of the two probabilities that is 1, 1 / e, 1 / e^2, 1.
AGREEMENT = torch.tensor([1, math.exp(-1), math.exp(-2), 1])
BY_SAMPLE = F.cross_entropy(FEATS, torch.tensor(LABELS), reduction='none')


def test_agreement_follows_view_2():
    head = make_head(momentum=0.7)
    loss_of(head, torch.zeros(4, 2), FEATS, samples_of())
    expected = torch.cat([AGREEMENT, torch.zeros(2)])
    torch.testing.assert_close(head.agreement.values, expected)
    loss_of(head, torch.zeros(4, 2), torch.zeros(4, 2), samples_of())
    torch.testing.assert_close(head.agreement.values[:4], 0.7 * AGREEMENT + 0.3)


def test_weights_are_1_on_average_and_for_what_was_not_seen():
    head = make_head()
    loss_of(head, torch.zeros(4, 2), FEATS, samples_of())
    mean = (2 + math.exp(-1) + math.exp(-2)) / 4
    expected = torch.cat([AGREEMENT / mean, torch.ones(2)])
    torch.testing.assert_close(head.weights(), expected)


def test_the_classification_is_weighed_from_the_start_on():
    head, plain = make_head(start=2), make_head(type=EACHead)
    batch = FEATS, FEATS.flip(1), samples_of()
    expected = loss_of(plain, *batch)
    torch.testing.assert_close(loss_of(head, *batch), expected)
    head.agreement.epoch = 2
    found = loss_of(head, *batch)
    torch.testing.assert_close(found['loss_consistency'], expected['loss_consistency'])
    agreement = torch.tensor([math.exp(-1), 1, 1, math.exp(-2)])
    weighed = agreement / agreement.mean() * BY_SAMPLE
    torch.testing.assert_close(found['loss_cls'], weighed.mean())


def test_weights_have_no_gradient():
    head = make_head(start=0)
    view2 = FEATS.clone().requires_grad_()
    loss_of(head, FEATS, view2, samples_of())['loss_cls'].backward()
    assert view2.grad is None


def test_samples_without_view_2_weigh_1():
    head = make_head(start=0, paired=0.5)
    found = loss_of(head, FEATS, FEATS[:2], samples_of())
    mean = (1 + math.exp(-1)) / 2
    weights = torch.tensor([1 / mean, math.exp(-1) / mean, 1, 1])
    torch.testing.assert_close(found['loss_cls'], (weights * BY_SAMPLE).mean())


def test_smoothed_labels_and_banks_are_weighed_too():
    smooth = dict(type='LabelSmoothLoss', label_smooth_val=0.2)
    head = make_head(start=0, loss=smooth)
    found = loss_of(head, FEATS, FEATS, samples_of())['loss_cls']
    rows = zip(FEATS.log_softmax(1), LABELS, strict=True)
    by_sample = torch.stack([-0.9 * row[y] - 0.1 * row[1 - y] for row, y in rows])
    weights = AGREEMENT / AGREEMENT.mean()
    torch.testing.assert_close(found, (weights * by_sample).mean())
    head = make_head(start=0, loss=dict(type='ELRLoss', num_classes=2, weight=0))
    head.loss_module.bank.resize(6)
    found = loss_of(head, FEATS, FEATS, samples_of())['loss_cls']
    torch.testing.assert_close(found, (weights * BY_SAMPLE).mean())


def test_a_sure_network_stays_finite():
    head = make_head(start=0)
    found = loss_of(head, 200 * FEATS, 200 * FEATS, samples_of())
    assert found['loss_cls'].isfinite()
    expected = torch.tensor([2, 2e-6, 2e-6, 2, 1, 1])
    torch.testing.assert_close(head.weights(), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ('setting', 'text'),
    [
        (dict(start=-1), 'start=-1. Fix: give 0 epochs'),
        (dict(momentum=1), 'momentum=1. Fix: give 0 or more'),
        (dict(imbalanced=False), "imbalanced=False .* Fix: .*'EACHead'"),
        (dict(consistency_weight=0), "consistency_weight=0. Fix: .*'EACHead'"),
    ],
)
def test_mistakes(setting, text):
    with pytest.raises(ValueError, match=text):
        make_head(**setting)
