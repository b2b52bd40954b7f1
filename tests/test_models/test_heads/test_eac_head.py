import pytest
import torch
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
