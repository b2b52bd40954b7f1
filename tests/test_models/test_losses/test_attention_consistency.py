import math

import pytest
import torch

from eac_mm.models import AttentionConsistencyLoss, attention_maps


def test_attention_maps_follow_equation_1():
    # Two channels, one row of two pixels; two classes.
    features = torch.tensor([[[[1.0, 2.0]], [[10.0, 20.0]]]])
    weight = torch.tensor([[1.0, 0.0], [2.0, -1.0]])
    maps = attention_maps(features, weight)
    assert maps.tolist() == [[[[1.0, 2.0]], [[-8.0, -16.0]]]]


# Flipped back, [[2, 5]] is [[5, 2]]: the differences are -4 and 1.
@pytest.mark.parametrize(
    ('distance', 'expected'), [('mse', 17 / 2), ('l2', math.sqrt(17) / 2)]
)
def test_distance_by_hand(distance, expected):
    loss = AttentionConsistencyLoss(distance)
    maps = torch.tensor([[[[1.0, 3.0]]]])
    flipped = torch.tensor([[[[2.0, 5.0]]]])
    assert loss(maps, flipped).item() == pytest.approx(expected, rel=1e-6)


def test_l2_is_divided_by_all_elements_not_by_maps():
    # Two samples of two classes, 1 x 2 maps that each differ by (3, 4):
    # four norms of 5 over 2 * 2 * 1 * 2 elements.
    maps = torch.tensor([3.0, 4.0]).expand(2, 2, 1, 2)
    loss = AttentionConsistencyLoss('l2')(maps, torch.zeros(2, 2, 1, 2))
    assert loss.item() == pytest.approx(4 * 5 / 8)


@pytest.mark.parametrize('distance', ['mse', 'l2'])
def test_flipped_maps_are_consistent(distance):
    maps = torch.randn(2, 3, 4, 5)
    assert AttentionConsistencyLoss(distance)(maps, maps.flip(-1)).item() == 0


def test_only_the_width_is_flipped():
    maps = torch.arange(4.0).reshape(1, 1, 2, 2)
    assert AttentionConsistencyLoss('mse')(maps, maps.flip(-2)).item() > 0


def test_l2_of_equal_maps_has_a_finite_gradient():
    maps = torch.ones(1, 1, 2, 2, requires_grad=True)
    AttentionConsistencyLoss('l2')(maps, torch.ones(1, 1, 2, 2)).backward()
    assert torch.equal(maps.grad, torch.zeros(1, 1, 2, 2))


def test_errors():
    with pytest.raises(ValueError, match=r"distance='l1'.*mse.*l2"):
        AttentionConsistencyLoss('l1')
    with pytest.raises(ValueError, match=r'\(1, 2, 3, 3\) and \(1, 2, 3, 4\)'):
        AttentionConsistencyLoss()(torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 4))
