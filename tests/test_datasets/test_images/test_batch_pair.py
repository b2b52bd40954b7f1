"""The pair of a batch draws from the distributions of the transform."""

import math

import numpy as np
import pytest
import torch

from eac_mm.datasets import Erasing, ErasingFlipPair
from eac_mm.datasets.images.batch_pair import BatchNoise, BatchPair

from .batches import DRAWS, FILL, SIZE, batch, boxes_of, numbers, run


@pytest.fixture(autouse=True)
def seed():
    np.random.seed(0)


def pair(**settings):
    return BatchPair(ErasingFlipPair(**settings))


def test_shared_pair():
    images = batch()
    before = images.clone()
    first, second = run(pair(), images)
    assert torch.equal(second, first.flip(-1))
    differs = first != before
    assert differs.any() and not differs.all()
    assert torch.equal(first[differs], FILL.expand_as(first)[differs])


def test_independent_pair():
    erasing = Erasing()
    drawn = [boxes_of(erasing, DRAWS, start) for start in (0, erasing.NUMBERS)]
    one, two = (np.array([box is not None for box in boxes]) for boxes in drawn)
    for a in (False, True):
        for b in (False, True):
            share = ((one == a) & (two == b)).mean()
            assert abs(share - 0.25) < 5 * math.sqrt(3 / 16 / DRAWS)
    both = np.flatnonzero(one & two)
    boxes = np.array([[row[i] for i in both] for row in drawn])
    for column in range(4):
        r = np.corrcoef(boxes[0, :, column], boxes[1, :, column])[0, 1]
        assert abs(r) < 5 / math.sqrt(boxes.shape[1])
    images = batch()
    before = images.clone()
    views = run(pair(erasing='independent'), images)
    # the table of 16 images has the columns of both
    table = numbers(pair(erasing='independent'), 16)
    for view, columns, mirrored in zip(
        views, np.split(table, 2, 1), (False, True), strict=True
    ):
        erased, boxes = erasing.rectangles(columns, SIZE)
        for row in range(16):
            img = before[row].flip(-1) if mirrored else before[row]
            box = tuple(boxes[row]) if erased[row] else None
            expected = erasing.erase(img.permute(1, 2, 0).numpy(), box)
            np.testing.assert_array_equal(view[row].permute(1, 2, 0), expected)


@pytest.mark.parametrize('erasing', ['shared', 'independent'])
def test_noise_on_the_classified_view(erasing):
    images = torch.full((200, 3, *SIZE), 128, dtype=torch.uint8)
    settings = dict(erasing=erasing, prob=0, noise_variance=30)
    first, second = run(pair(**settings), images)
    assert (second == 128).all()
    noisy = (first != 128).flatten(1).any(1)
    assert abs(noisy.float().mean() - 0.5) < 5 * math.sqrt(0.25 / 200)
    noise = first[noisy].double() - 128
    size = noise.numel()
    # rounding adds 1/12; five standard errors of mean and variance
    assert abs(noise.mean()) < 5 * math.sqrt(30 / size)
    assert abs(noise.var() - 30 - 1 / 12) < 5 * 30 * math.sqrt(2 / size)
    kurtosis = (noise**4).mean() / noise.var() ** 2
    assert abs(kurtosis - 3) < 5 * math.sqrt(24 / size)
    # each sample and each channel has its own
    r = np.corrcoef(noise.flatten(2).flatten(0, 1)[:60])
    assert np.abs(r[np.triu_indices(60, 1)]).max() < 5.5 / math.sqrt(math.prod(SIZE))


@pytest.mark.parametrize('erasing', ['shared', 'independent'])
def test_noise_on_both_views(erasing):
    images = batch()
    settings = dict(erasing=erasing, prob=0, noise_variance=30, noise_prob=1)
    before = images.clone()
    first, second = run(pair(**settings, noise_views='both'), images)
    assert torch.equal(second, first.flip(-1))
    assert (first != before).flatten(1).any(1).all()


def test_noise_is_drawn_at_the_original_size():
    """Resized, neighbouring pixels have the variance that the transform gives."""
    ori = (24, 18)
    transform = ErasingFlipPair(noise_variance=30, noise_prob=1)
    img = np.full((*SIZE, 3), 128, np.uint8)
    expected = [transform._add_noise(img, ori) for _ in range(300)]
    expected = torch.from_numpy(np.stack(expected)).permute(0, 3, 1, 2).double() - 128
    images = torch.full((300, 3, *SIZE), 128, dtype=torch.uint8)
    noise = run(BatchNoise(transform), images, ori).double() - 128
    for a, b in (
        (noise, expected),
        (noise.diff(dim=-1), expected.diff(dim=-1)),
        (noise.diff(dim=-2), expected.diff(dim=-2)),
    ):
        # independent values: those of the original size
        error = b.var() * math.sqrt(2 * 2 / (300 * 3 * math.prod(ori)))
        assert abs(a.var() - b.var()) < 5 * error
    by_pixel = noise.var((0, 1)) - expected.var((0, 1))  # borders, too
    assert by_pixel.abs().max() < 6 * 30 * math.sqrt(2 * 2 / 900)


def test_noise_stops_at_the_ends_of_the_scale():
    images = torch.full((2, 3, *SIZE), 254, dtype=torch.uint8)
    part = BatchNoise(ErasingFlipPair(noise_variance=30, noise_prob=1))
    assert run(part, images).min() > 200
