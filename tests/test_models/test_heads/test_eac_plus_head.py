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
        head.trust.resize(size)
        head.labels.resize(size)
    return head


def loss_of(head, view1, view2, samples):
    maps = [view[:, :, None, None].expand(-1, -1, 2, 2) for view in (view1, view2)]
    return head.loss((view1, view2), samples, feature_maps=tuple(maps))


def sigmoid(*values):
    return torch.tensor(values).sigmoid()


def test_trust_follows_view_2_by_hand():
    head = make_head(momentum=0.7)
    loss_of(head, torch.zeros(4, 2), FEATS, samples_of())
    first = sigmoid(1.0, -1.0, -2.0, 2.0)
    torch.testing.assert_close(head.trust.values[:4], first)
    assert head.trust.values[4:].isnan().all()
    assert head.labels.values.tolist() == [*LABELS, -1, -1]
    loss_of(head, torch.zeros(4, 2), torch.zeros(4, 2), samples_of())
    torch.testing.assert_close(head.trust.values[:4], 0.7 * first + 0.3 * 0.5)


def test_weights_by_hand():
    head = make_head(limit=1.5)
    loss_of(head, torch.zeros(4, 2), FEATS, samples_of())
    a, b = sigmoid(1.0, 2.0)  # the others are 1 - a and 1 - b; both means are 1 / 2
    expected = torch.stack([2 * a, 2 - 2 * a, 2 - 2 * b, 2 * b, a / a, a / a])
    assert expected.max() > 1.5
    torch.testing.assert_close(head.weights(), expected.clamp(max=1.5))


def test_the_power_of_trust_by_hand():
    head = make_head(power=2.0)
    loss_of(head, torch.zeros(4, 2), FEATS, samples_of())
    a, b = sigmoid(1.0, 2.0)
    c, d = (a**2 + (1 - a) ** 2) / 2, (b**2 + (1 - b) ** 2) / 2
    expected = [a**2 / c, (1 - a) ** 2 / c, (1 - b) ** 2 / d, b**2 / d]
    torch.testing.assert_close(head.weights()[:4], torch.stack(expected))


def test_the_classification_is_weighed_from_the_start_on():
    head, plain = make_head(start=2), make_head(type=EACHead)
    batch = FEATS, FEATS.flip(1), samples_of()
    expected = loss_of(plain, *batch)
    found = loss_of(head, *batch)
    torch.testing.assert_close(found, expected)
    head.trust.epoch = 2
    found = loss_of(head, *batch)
    torch.testing.assert_close(found['loss_consistency'], expected['loss_consistency'])
    by_sample = F.cross_entropy(FEATS, torch.tensor(LABELS), reduction='none')
    a, b = sigmoid(1.0, 2.0)
    weights = torch.stack([2 - 2 * a, 2 * a, 2 * b, 2 - 2 * b])
    torch.testing.assert_close(found['loss_cls'], (weights * by_sample).mean())


def test_weights_have_no_gradient():
    head = make_head(start=0)
    view2 = FEATS.clone().requires_grad_()
    loss_of(head, FEATS, view2, samples_of())['loss_cls'].backward()
    assert view2.grad is None


def test_samples_without_view_2_weigh_1():
    head = make_head(start=0, paired=0.5)
    found = loss_of(head, FEATS, FEATS[:2], samples_of())
    a = sigmoid(1.0)[0]
    assert head.labels.values.tolist() == [0, 0, -1, -1, -1, -1]
    torch.testing.assert_close(
        head.weights()[:3], torch.stack([2 * a, 2 - 2 * a, a / a])
    )
    by_sample = F.cross_entropy(FEATS, torch.tensor(LABELS), reduction='none')
    weights = torch.stack([2 * a, 2 - 2 * a, a / a, a / a])
    torch.testing.assert_close(found['loss_cls'], (weights * by_sample).mean())


def test_label_smoothing_and_banks_are_weighed_too():
    smooth = dict(type='LabelSmoothLoss', label_smooth_val=0.2)
    head = make_head(start=0, loss=smooth)
    found = loss_of(head, FEATS, FEATS, samples_of())['loss_cls']
    log_p = FEATS.log_softmax(1)
    rows = zip(log_p, LABELS, strict=True)
    by_sample = torch.stack([-0.9 * row[y] - 0.1 * row[1 - y] for row, y in rows])
    torch.testing.assert_close(found, (head.weights()[:4] * by_sample).mean())
    head = make_head(start=0, loss=dict(type='ELRLoss', num_classes=2, weight=0))
    head.loss_module.bank.resize(6)
    found = loss_of(head, FEATS, FEATS, samples_of())['loss_cls']
    by_sample = F.cross_entropy(FEATS, torch.tensor(LABELS), reduction='none')
    torch.testing.assert_close(found, (head.weights()[:4] * by_sample).mean())


@pytest.mark.parametrize(
    ('setting', 'text'),
    [
        (dict(start=-1), 'start=-1. Fix: give 0 epochs'),
        (dict(momentum=1), 'momentum=1. Fix: 0.7'),
        (dict(power=0), 'power=0. Fix: give more'),
        (dict(limit=0.5), 'limit=0.5. Fix: give 1'),
        (dict(imbalanced=False), 'imbalanced=False. Fix: type="EACHead"'),
        (dict(consistency_weight=0), 'consistency_weight=0. Fix: give more'),
    ],
)
def test_mistakes(setting, text):
    with pytest.raises(ValueError, match=text):
        make_head(**setting)
