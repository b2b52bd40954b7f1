"""Erasing and flip of a batch draw from the distributions of the transforms."""

import math

import numpy as np
import pytest
import torch
from mmcv.transforms import RandomFlip

from eac_mm.datasets import Erasing
from eac_mm.datasets.images.batch_single import BatchErasing, BatchFlip, columns_of

from .batches import DRAWS, SHAPES, SIZE, batch, boxes_of, numbers, run


@pytest.fixture(autouse=True)
def seed():
    np.random.seed(0)


def by_one(erasing):
    """What the transform draws, image by image."""
    drawn = [erasing.sample_rectangle(*SIZE) for _ in range(DRAWS)]
    return np.array([box for box in drawn if box])


def distance(a, b):
    """Kolmogorov and Smirnov's, in units of its 0.1 % level."""
    values = np.sort(np.concatenate([a, b]))
    shares = (np.searchsorted(np.sort(x), values, 'right') / len(x) for x in (a, b))
    level = 1.95 * math.sqrt((len(a) + len(b)) / (len(a) * len(b)))
    return np.abs(np.subtract(*shares)).max() / level


@pytest.mark.parametrize(
    'settings',
    [
        dict(),
        dict(prob=0.8, area=(0.3, 0.9), aspect=(0.2, 5)),  # many tries fail
        dict(prob=1.0, area=(0.7, 1), aspect=(1, 1)),  # many in vain
    ],
)
def test_rectangles(settings):
    erasing = Erasing(**settings)
    erased, boxes = erasing.rectangles(numbers(BatchErasing), SIZE)
    boxes = boxes[erased]
    expected = by_one(erasing)
    error = math.sqrt(2 * 0.25 / DRAWS)
    assert abs(len(boxes) - len(expected)) / DRAWS < 5 * error
    for what in (
        lambda top, left, h, w: h * w / math.prod(SIZE),
        lambda top, left, h, w: np.log(h / w),
        lambda top, left, h, w: (top + 0.5) / (SIZE[0] - h + 1),
        lambda top, left, h, w: (left + 0.5) / (SIZE[1] - w + 1),
        lambda top, left, h, w: top + left,
    ):
        assert distance(what(*boxes.T), what(*expected.T)) < 1
    top, left, h, w = boxes.T
    assert (top >= 0).all() and (top + h <= SIZE[0]).all()
    assert (left >= 0).all() and (left + w <= SIZE[1]).all()
    # both ends are reached: nothing is off by one
    assert (top == 0).any() and (top + h == SIZE[0]).any()
    assert (left == 0).any() and (left + w == SIZE[1]).any()


def test_extreme_numbers_stay_inside():
    erasing = Erasing(prob=1)
    for value in (0.0, 1 - 2**-53):
        table = np.full((1, erasing.NUMBERS), value)
        top, left, h, w = erasing.rectangles(table, SIZE)[1][0]
        assert 0 <= top <= SIZE[0] - h and 0 <= left <= SIZE[1] - w


@pytest.mark.parametrize('prob', [0.0, 0.5, 1.0])
def test_probability(prob):
    erased = Erasing(prob=prob).rectangles(numbers(BatchErasing), SIZE)[0]
    ramps = torch.arange(4, dtype=torch.uint8).expand(DRAWS, 1, 1, 4).contiguous()
    flip = BatchFlip(RandomFlip(prob=prob))
    flipped = flip(ramps, numbers(flip), SHAPES)[:, 0, 0, 0].numpy() == 3
    error = math.sqrt(prob * (1 - prob) / DRAWS)
    for found in (erased, flipped):
        assert abs(found.mean() - prob) <= 5 * error


@pytest.mark.parametrize('channels_last', [False, True])
def test_erased_and_kept_pixels(channels_last):
    """As the transform does with the same rectangles."""
    erasing = Erasing(prob=0.7)
    images = batch(channels_last=channels_last)
    before = images.numpy().transpose(0, 2, 3, 1).copy()
    found = run(BatchErasing(erasing), images).numpy().transpose(0, 2, 3, 1)
    boxes = boxes_of(erasing)
    assert None in boxes and any(boxes)
    for row, box in enumerate(boxes):
        np.testing.assert_array_equal(found[row], erasing.erase(before[row], box))


def test_images_of_another_number_of_channels_get_the_mean():
    images = run(BatchErasing(Erasing(prob=1)), batch(channels=1))
    top, left, h, w = boxes_of(Erasing(prob=1))[3]
    assert (images[3, 0, top : top + h, left : left + w] == 114).all()


def test_flip():
    part = BatchFlip(RandomFlip(prob=0.5))
    images = batch()
    before = images.clone()
    found = run(part, images)
    flips = numbers(part, 16)[:, 0] < 0.5
    for row, flip in enumerate(flips):
        assert torch.equal(found[row], before[row].flip(-1) if flip else before[row])
    assert 0 < flips.sum() < 16


def test_each_part_has_its_columns():
    parts = [BatchErasing(Erasing()), BatchFlip(RandomFlip(prob=0.5))]
    table = np.arange(48).reshape(2, 24)
    (_, first), (part, second) = columns_of(parts, table)
    assert first.tolist() == [[*range(23)], [*range(24, 47)]]
    assert second.tolist() == [[23], [47]]
    assert part is parts[1]
