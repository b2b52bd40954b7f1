import math

import numpy as np
import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn
from torch.nn import functional as F

from eac_mm.models import EACHead

N, C, L, H, W = 3, 5, 4, 3, 3


def make_samples(labels):
    return [DataSample().set_gt_label(label) for label in labels]


def make_inputs(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(N, C, H, W, generator=generator).requires_grad_() for _ in range(2)
    ]


def oracle(features, flipped, weight, bias, labels, lam, distance):
    """EAC from the equations, as the authors wrote it: products and grid_sample."""
    logits = features.mean((2, 3)) @ weight.t() + bias
    chosen = logits.gather(1, torch.tensor(labels)[:, None])[:, 0]
    classification = (torch.logsumexp(logits, 1) - chosen).mean()

    def maps(f):
        w = weight.detach().reshape(1, L, C, 1, 1)
        return (f.reshape(N, 1, C, H, W) * w).sum(2)

    # The grid that mirrors the width: x runs from 1 to -1.
    ys, xs = torch.meshgrid(
        torch.linspace(-1, 1, H), torch.linspace(1, -1, W), indexing='ij'
    )
    grid = torch.stack([xs, ys], -1).expand(N, H, W, 2)
    back = F.grid_sample(maps(flipped), grid, mode='bilinear', align_corners=True)
    difference = maps(features) - back
    if distance == 'mse':
        consistency = (difference**2).sum() / (N * L * H * W)
    else:
        norms = (difference**2).sum((2, 3)).sqrt()
        consistency = norms.sum() / (N * L * H * W)
    return classification, lam * consistency


@pytest.mark.parametrize('distance', ['mse', 'l2'])
@pytest.mark.parametrize('lam', [5.0, 0.1])
def test_parity_with_the_equations(distance, lam):
    torch.manual_seed(0)
    head = EACHead(
        num_classes=L,
        in_channels=C,
        consistency_weight=lam,
        consistency=dict(type='AttentionConsistencyLoss', distance=distance),
    )
    labels = [3, 0, 2]
    views = make_inputs()
    losses = head.loss(
        (views[0].mean((2, 3)),), make_samples(labels), feature_maps=tuple(views)
    )
    (losses['loss_cls'] + losses['loss_consistency']).backward()

    expected_views = make_inputs()
    weight = head.fc.weight.detach().clone().requires_grad_()
    bias = head.fc.bias.detach().clone().requires_grad_()
    expected = oracle(*expected_views, weight, bias, labels, lam, distance)
    sum(expected).backward()

    pairs = [
        (losses['loss_cls'], expected[0]),
        (losses['loss_consistency'], expected[1]),
        (views[0].grad, expected_views[0].grad),
        (views[1].grad, expected_views[1].grad),
        (head.fc.weight.grad, weight.grad),
        (head.fc.bias.grad, bias.grad),
    ]
    for ours, theirs in pairs:
        assert (ours - theirs).norm() / theirs.norm() < 1e-5


def test_consistency_moves_both_views_and_not_the_classifier():
    head = EACHead(num_classes=L, in_channels=C)
    views = make_inputs()
    losses = head.loss((views[0].mean((2, 3)),), make_samples([0, 1, 2]), tuple(views))
    losses['loss_consistency'].backward()
    assert head.fc.weight.grad is None
    assert head.fc.bias.grad is None
    # d mean(d^2) / dF is 2 W^T d / size, and opposite (flipped) for view 2.
    weight = head.fc.weight.detach()
    difference = torch.einsum('nchw,lc->nlhw', views[0] - views[1].flip(-1), weight)
    size = N * L * H * W
    expected = 5.0 * 2 / size * torch.einsum('nlhw,lc->nchw', difference, weight)
    torch.testing.assert_close(views[0].grad, expected)
    torch.testing.assert_close(views[1].grad, -expected.flip(-1))


def test_classification_does_not_move_view_2():
    head = EACHead(num_classes=L, in_channels=C)
    views = make_inputs()
    losses = head.loss((views[0].mean((2, 3)),), make_samples([0, 1, 2]), tuple(views))
    losses['loss_cls'].backward()
    assert views[1].grad is None


def test_ramp_and_weight_scale_the_consistency_alone():
    torch.manual_seed(0)
    head = EACHead(num_classes=L, in_channels=C, consistency_weight=5.0)
    views = make_inputs()
    args = ((views[0].mean((2, 3)),), make_samples([0, 1, 2]), tuple(views))
    full = head.loss(*args)
    head.ramp = 0.25
    quarter = head.loss(*args)
    assert quarter['loss_consistency'].item() == pytest.approx(
        full['loss_consistency'].item() / 4
    )
    assert torch.equal(quarter['loss_cls'], full['loss_cls'])


def test_bfloat16_features_are_compared_in_float32():
    head = EACHead(num_classes=L, in_channels=C)
    views = [v.detach().bfloat16() for v in make_inputs()]
    with torch.autocast('cpu', torch.bfloat16):
        losses = head.loss(
            (views[0].mean((2, 3)),), make_samples([0, 1, 2]), tuple(views)
        )
    exact = [v.float() for v in views]
    difference = torch.einsum(
        'nchw,lc->nlhw', exact[0] - exact[1].flip(-1), head.fc.weight
    )
    assert losses['loss_consistency'].dtype == torch.float32
    torch.testing.assert_close(
        losses['loss_consistency'], 5 * difference.square().mean()
    )


def test_initialisation_is_that_of_nn_linear():
    torch.manual_seed(3)
    head = EACHead(num_classes=L, in_channels=C)
    head.init_weights()
    torch.manual_seed(3)
    plain = nn.Linear(C, L)
    assert torch.equal(head.fc.weight, plain.weight)
    assert torch.equal(head.fc.bias, plain.bias)


def test_negative_weight():
    with pytest.raises(ValueError, match='consistency_weight=-1'):
        EACHead(num_classes=L, in_channels=C, consistency_weight=-1)


def test_maps_must_have_the_channels_of_the_classifier():
    head = EACHead(num_classes=L, in_channels=C)
    maps = torch.zeros(N, C + 1, H, W)
    with pytest.raises(ValueError, match=r'have 6 channels .* takes 5.*in_channels=6'):
        head.loss((torch.zeros(N, C),), make_samples([0, 1, 2]), (maps, maps))


# the switches of Table 3


def pooled(views):
    return tuple(view.mean((2, 3)) for view in views)


def test_both_views_are_classified_without_the_imbalanced_framework():
    torch.manual_seed(0)
    head = EACHead(num_classes=L, in_channels=C, imbalanced=False)
    assert head.views == 2
    labels = [3, 0, 2]
    views = make_inputs()
    losses = head.loss(pooled(views), make_samples(labels), tuple(views))
    (losses['loss_cls'] + losses['loss_consistency']).backward()

    # The equations for each view in the other's place; the consistency but once.
    theirs = make_inputs()
    weight = head.fc.weight.detach().clone().requires_grad_()
    bias = head.fc.bias.detach().clone().requires_grad_()
    args = (weight, bias, labels, 5.0, 'mse')
    first, consistency = oracle(*theirs, *args)
    second, _ = oracle(*theirs[::-1], *args)
    classification = (first + second) / 2
    (classification + consistency).backward()

    pairs = [
        (losses['loss_cls'], classification),
        (losses['loss_consistency'], consistency),
        (views[0].grad, theirs[0].grad),
        (views[1].grad, theirs[1].grad),
        (head.fc.weight.grad, weight.grad),
        (head.fc.bias.grad, bias.grad),
    ]
    for ours, expected in pairs:
        assert (ours - expected).norm() / expected.norm() < 1e-5


def test_both_views_count_in_the_accuracy():
    head = EACHead(num_classes=L, in_channels=C, imbalanced=False, cal_acc=True)
    head.fc.weight.data = torch.eye(L, C)
    head.fc.bias.data.zero_()
    # view 1 shows the given labels 0 to 2, view 2 only the first of them
    feats = torch.eye(C)[[0, 1, 2]], torch.eye(C)[[0, 0, 0]]
    maps = tuple(f[:, :, None, None].expand(N, C, H, W) for f in feats)
    losses = head.loss(feats, make_samples([0, 1, 2]), maps)
    assert float(losses['accuracy_top-1'][0]) == pytest.approx(100 * 4 / 6)


@pytest.mark.parametrize(('imbalanced', 'needed'), [(True, 1), (False, 2)])
def test_without_consistency(imbalanced, needed):
    head = EACHead(
        num_classes=L, in_channels=C, consistency_weight=0, imbalanced=imbalanced
    )
    assert head.views == needed
    views = make_inputs()[:needed]
    losses = head.loss(pooled(views), make_samples([3, 0, 2]), tuple(views))
    assert set(losses) == {'loss_cls'}
    logits = [head.fc(f) for f in pooled(views)]
    expected = [F.cross_entropy(x, torch.tensor([3, 0, 2])) for x in logits]
    torch.testing.assert_close(losses['loss_cls'], sum(expected) / needed)


@pytest.mark.parametrize('imbalanced', [True, False])
def test_what_a_recorder_gets(imbalanced):
    head = EACHead(num_classes=L, in_channels=C, imbalanced=imbalanced)
    views = make_inputs()
    arguments = pooled(views), make_samples([3, 0, 2]), tuple(views)
    losses, calls = head.loss(*arguments), []
    head.recorder = lambda **values: calls.append(values)
    recorded = head.loss(*arguments)
    assert all(torch.equal(losses[name], recorded[name]) for name in recorded)
    [found] = calls
    for logits, feats in zip(found['logits'], pooled(views), strict=True):
        torch.testing.assert_close(logits, feats @ head.fc.weight.t() + head.fc.bias)
    weight = head.fc.weight.detach()
    maps = [torch.einsum('nchw,lc->nlhw', f.detach(), weight) for f in views]
    gaps = [float((a - b.flip(-1)).square().mean()) for a, b in zip(*maps, strict=True)]
    assert found['disagreement'].tolist() == pytest.approx(gaps, rel=1e-4)


def test_a_recorder_gets_what_there_is():
    calls = []
    head = EACHead(num_classes=L, in_channels=C, consistency_weight=0)
    head.recorder = lambda **values: calls.append(values)
    [view] = make_inputs()[:1]
    head.loss(pooled([view]), make_samples([3, 0, 2]), (view,))
    assert len(calls[0]['logits']) == 1 and calls[0]['disagreement'] is None


def test_two_views_by_default():
    head = EACHead(num_classes=L, in_channels=C)
    assert head.imbalanced and head.views == 2


# other transforms than the flip


def turned_samples(labels, angles):
    samples = make_samples(labels)
    for sample, angle in zip(samples, angles, strict=True):
        cos, sin = math.cos(angle), math.sin(angle)
        matrix = np.array([[cos, sin, 0], [-sin, cos, 0]], np.float32)
        sample.set_field(matrix, 'view_affine')
    return samples


@pytest.mark.parametrize('imbalanced', [True, False])
def test_samples_say_how_view_2_was_made(imbalanced):
    torch.manual_seed(0)
    head = EACHead(num_classes=L, in_channels=C, imbalanced=imbalanced)
    views = make_inputs()
    # as it is, a quarter and a half turn clockwise
    samples = turned_samples([3, 0, 2], [0, math.pi / 2, math.pi])
    losses = head.loss(pooled(views), samples, tuple(views))
    losses['loss_consistency'].backward()

    theirs = make_inputs()
    turned = torch.stack([torch.rot90(f, -k, (1, 2)) for k, f in enumerate(theirs[0])])
    maps = [
        torch.einsum('nchw,lc->nlhw', f, head.fc.weight.detach())
        for f in (turned, theirs[1])
    ]
    expected = 5 * (maps[0] - maps[1]).square().mean()
    expected.backward()
    torch.testing.assert_close(losses['loss_consistency'], expected)
    for ours, reference in zip(views, theirs, strict=True):
        torch.testing.assert_close(ours.grad, reference.grad)
    assert head.fc.weight.grad is None


def test_a_view_affine_among_the_metainfo_will_do():
    head = EACHead(num_classes=L, in_channels=C)
    views = make_inputs()
    samples, matrices = make_samples([0, 1, 2]), turned_samples([0, 1, 2], [0, 1, 2])
    for sample, other in zip(samples, matrices, strict=True):
        sample.set_metainfo(dict(view_affine=other.view_affine))
    losses = [head.loss(pooled(views), s, tuple(views)) for s in (samples, matrices)]
    assert torch.equal(*(loss['loss_consistency'] for loss in losses))


def test_all_samples_or_none_carry_a_view_affine():
    head = EACHead(num_classes=L, in_channels=C)
    views = make_inputs()
    samples = turned_samples([3, 0], [0, 1]) + make_samples([2])
    with pytest.raises(ValueError, match='2 of 3 samples carry a view_affine'):
        head.loss(pooled(views), samples, tuple(views))


@pytest.mark.parametrize(
    ('loss', 'imbalanced'),
    [
        (dict(type='GCELoss'), True),
        (dict(type='GCELoss'), False),
        (dict(type='SCELoss'), True),
        (dict(type='GJSLoss', views=1), True),
        (dict(type='GJSLoss'), False),
        (dict(type='LabelSmoothLoss', label_smooth_val=0.2), True),
    ],
)
def test_the_consistency_combines_with_any_loss(loss, imbalanced):
    torch.manual_seed(0)
    settings = dict(num_classes=L, in_channels=C, imbalanced=imbalanced)
    head = EACHead(loss=loss, **settings)
    plain = EACHead(**settings)
    plain.load_state_dict(head.state_dict())
    views, labels = make_inputs(), [3, 0, 2]
    feats = tuple(view.mean((2, 3)) for view in views)
    args = feats, make_samples(labels), tuple(views)
    found = head.loss(*args)
    assert torch.equal(found['loss_consistency'], plain.loss(*args)['loss_consistency'])
    classified = [head((feat,)) for feat in feats[: 1 if imbalanced else 2]]
    target = torch.tensor(labels * len(classified))
    expected = MODELS.build(loss)(torch.cat(classified), target)
    torch.testing.assert_close(found['loss_cls'], expected)


def test_the_consistency_combines_with_mixed_labels():
    head = EACHead(num_classes=L, in_channels=C, loss=dict(type='GCELoss'))
    views = make_inputs()
    scores = torch.tensor([[0.5, 0.5, 0, 0], [0, 0, 1, 0], [0.25, 0.25, 0.25, 0.25]])
    samples = make_samples([0, 2, 1])
    for sample, score in zip(samples, scores, strict=True):
        sample.set_gt_score(score)
    feats = (views[0].mean((2, 3)),)
    found = head.loss(feats, samples, tuple(views))
    p = head(feats).softmax(1)
    expected = (scores * (1 - p**0.7) / 0.7).sum(1).mean()
    torch.testing.assert_close(found['loss_cls'], expected)
    assert found['loss_consistency'] > 0


@pytest.mark.parametrize('imbalanced', [True, False])
def test_a_part_of_the_batch_is_paired(imbalanced):
    """Of view 2 one sample of three: what it gives is by hand, of the first sample."""
    torch.manual_seed(0)
    head = EACHead(num_classes=L, in_channels=C, paired=0.34, imbalanced=imbalanced)
    assert head.passes == pytest.approx(1.34)
    first, second = make_inputs()
    views, labels = (first, second[:1]), [3, 0, 2]
    calls = []
    head.recorder = lambda **values: calls.append(values)
    losses = head.loss(pooled(views), make_samples(labels), views)
    logits = torch.cat([head.fc(f) for f in pooled(views)])
    targets = torch.tensor(labels if imbalanced else [*labels, 3])
    wanted = F.cross_entropy(logits[: len(targets)], targets)
    torch.testing.assert_close(losses['loss_cls'], wanted)
    maps = [torch.einsum('nchw,lc->nlhw', f[:1], head.fc.weight) for f in views]
    gap = (maps[0] - maps[1].flip(-1)).square().mean()
    torch.testing.assert_close(losses['loss_consistency'], 5 * gap)
    # A recorder gets a row a sample; those without a second view are NaN.
    [found] = calls
    torch.testing.assert_close(found['logits'][1][:1], logits[3:])
    assert found['logits'][1][1:].isnan().all()
    assert found['disagreement'].shape == (N,)
    assert found['disagreement'].isnan().tolist() == [False, True, True]


@pytest.mark.parametrize('paired', [0, -0.1, 1.1])
def test_the_share_of_pairs(paired):
    with pytest.raises(ValueError, match=f'paired={paired}: .*Fix: model.head.paired'):
        EACHead(num_classes=L, in_channels=C, paired=paired)
