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


@pytest.mark.parametrize(
    ('distance', 'expected'),
    [('mse', [17 / 2, 2.0]), ('l2', [math.sqrt(17) / 2, 2 / 2])],
)
def test_each_sample_by_hand(distance, expected):
    # Flipped back, the second sample differs by 0 and 2.
    loss = AttentionConsistencyLoss(distance)
    maps = torch.tensor([[[[1.0, 3.0]]], [[[1.0, 3.0]]]], requires_grad=True)
    flipped = torch.tensor([[[[2.0, 5.0]]], [[[1.0, 1.0]]]])
    values = loss.by_sample(maps, flipped)
    assert values.tolist() == pytest.approx(expected, rel=1e-6)
    whole = float(loss(maps, flipped).detach())
    assert float(values.mean()) == pytest.approx(whole, rel=1e-6)
    assert not values.requires_grad


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


# other transforms than the flip


def matrices(*rows):
    return torch.tensor(rows)[None]


IDENTITY = matrices([1.0, 0, 0], [0, 1, 0])
MIRROR = matrices([-1.0, 0, 0], [0, 1, 0])
# By these, view 2 is view 1 turned clockwise, or enlarged by 2.
QUARTER = matrices([0.0, 1, 0], [-1, 0, 0])
DOUBLE = matrices([0.5, 0, 0], [0, 0.5, 0])
HALF = matrices([2.0, 0, 0], [0, 2, 0])


@pytest.mark.parametrize('distance', ['mse', 'l2'])
def test_the_mirror_as_a_matrix_is_the_flip(distance):
    torch.manual_seed(0)
    loss = AttentionConsistencyLoss(distance)
    found = []
    for affine in (None, MIRROR.expand(2, 2, 3)):
        torch.manual_seed(0)
        maps = [torch.randn(2, 3, 4, 5).requires_grad_() for _ in range(2)]
        value = loss(*maps, affine=affine)
        found.append([value, *torch.autograd.grad(value, maps)])
    for flip, mirror in zip(*found, strict=True):
        torch.testing.assert_close(mirror, flip)


def test_the_flip_is_the_plain_formula_to_the_bit():
    maps = torch.randn(2, 2, 3, 4, 5)
    expected = (maps[0] - maps[1].flip(-1)).square().mean()
    assert torch.equal(AttentionConsistencyLoss()(*maps), expected)


@pytest.mark.parametrize('distance', ['mse', 'l2'])
def test_identity_compares_as_they_are(distance):
    maps = torch.randn(2, 2, 3, 4, 4)
    loss = AttentionConsistencyLoss(distance)
    ours = loss(*maps, affine=IDENTITY.expand(2, 2, 3))
    torch.testing.assert_close(ours, loss(maps[0], maps[1].flip(-1)))


@pytest.mark.parametrize('size', [3, 4])
def test_a_quarter_turn_is_that_of_rot90(size):
    maps, other = torch.randn(2, 2, 3, size, size)
    loss = AttentionConsistencyLoss()
    turned = torch.rot90(maps, -1, (2, 3))
    affine = QUARTER.expand(2, 2, 3)
    assert loss(maps, turned, affine=affine).item() == pytest.approx(0, abs=1e-12)
    torch.testing.assert_close(
        loss(maps, other, affine=affine), (turned - other).square().mean()
    )


def test_each_sample_has_its_own_matrix():
    maps = torch.randn(3, 2, 4, 4)
    transformed = torch.stack(
        [maps[0], maps[1].flip(-1), torch.rot90(maps[2], -1, (1, 2))]
    )
    affine = torch.cat([IDENTITY, MIRROR, QUARTER])
    loss = AttentionConsistencyLoss()(maps, transformed, affine=affine)
    assert loss.item() == pytest.approx(0, abs=1e-12)


def test_twice_as_large_by_hand():
    # Cell centres at -3/4, -1/4, 1/4, 3/4 lie in view 1 at half of that: from the
    # centres next to them, of 1/2 a cell, a quarter and three quarters.
    row = torch.tensor([0.0, 4.0, 8.0, 12.0])
    maps = row.expand(1, 1, 4, 4)
    enlarged = torch.tensor([3.0, 5.0, 7.0, 9.0]).expand(1, 1, 4, 4)
    loss = AttentionConsistencyLoss()
    assert loss(maps, enlarged, affine=DOUBLE).item() == 0
    turned = maps.transpose(2, 3), enlarged.transpose(2, 3)
    assert loss(*turned, affine=DOUBLE).item() == 0
    # 3, 1, -1, -3 away from the map as it is: 5 on average
    assert loss(maps, maps, affine=DOUBLE).item() == 5


def test_cells_outside_of_view_1_count_as_equal():
    # Half as large, the 4 x 4 cells of view 1 are the 2 x 2 in the middle of view 2,
    # each the mean of four; the other 12 show nothing of it.
    maps = torch.arange(16.0).reshape(1, 1, 4, 4)
    small = torch.full((1, 1, 4, 4), 99.0)
    small[..., 1:3, 1:3] = torch.tensor([[2.5, 4.5], [10.5, 12.5]])
    loss = AttentionConsistencyLoss()
    assert loss(maps, small, affine=HALF).item() == 0
    small[..., 1, 1] += 4  # over all 16 cells
    assert loss(maps, small, affine=HALF).item() == 16 / 16
    assert AttentionConsistencyLoss('l2')(maps, small, affine=HALF).item() == 4 / 16
    small.requires_grad_()
    loss(maps, small, affine=HALF).backward()
    expected = torch.zeros(4, 4)
    expected[1, 1] = 2 * 4 / 16
    assert torch.equal(small.grad[0, 0], expected)


def test_the_outermost_cells_reach_to_the_edge():
    # Moved by half a cell, the last centre lies on the edge of view 1: no zeros mix
    # with the map there.
    shift = matrices([1.0, 0, 0.25], [0, 1, 0])
    maps = torch.tensor([0.0, 4.0, 8.0, 12.0]).expand(1, 1, 4, 4)
    shifted = torch.tensor([2.0, 6.0, 10.0, 12.0]).expand(1, 1, 4, 4)
    assert AttentionConsistencyLoss()(maps, shifted, affine=shift).item() == 0


def test_affine_gradients_of_both_maps():
    generator = torch.Generator().manual_seed(0)
    maps = [
        torch.randn(2, 2, 3, 3, dtype=torch.float64, generator=generator)
        for _ in range(2)
    ]
    affine = torch.cat([QUARTER, DOUBLE]) + 0.1
    for distance in ('mse', 'l2'):
        loss = AttentionConsistencyLoss(distance)
        views = [m.clone().requires_grad_() for m in maps]
        assert torch.autograd.gradcheck(lambda a, b, f=loss: f(a, b, affine), views)
        loss(*views, affine).backward()
        assert all(view.grad.abs().sum() > 0 for view in views)


def test_one_matrix_a_sample():
    maps = torch.zeros(2, 1, 3, 3)
    with pytest.raises(ValueError, match=r'shape \(1, 2, 3\). Fix: .*\(2, 2, 3\)'):
        AttentionConsistencyLoss()(maps, maps, affine=IDENTITY)


@pytest.mark.parametrize('affine', [None, torch.zeros(2, 2, 3)])
def test_one_column_cannot_be_compared(affine):
    maps = torch.zeros(2, 1, 1, 1)
    with pytest.raises(ValueError, match=r'1 x 1.*Fix: Resize to a larger scale'):
        AttentionConsistencyLoss()(maps, maps, affine)
