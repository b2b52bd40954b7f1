"""The batched transforms draw from the distributions of the transforms."""

import math

import numpy as np
import pytest
import torch
from mmcv.transforms import RandomFlip
from mmpretrain.datasets import PackInputs, RandomCrop

from eac_mm.datasets import Erasing, ErasingFlipPair
from eac_mm.datasets.images.batch_pair import BatchNoise, BatchPair
from eac_mm.datasets.images.batch_single import BatchErasing, BatchFlip
from eac_mm.datasets.images.batch_transforms import build_batch_transforms

SIZE = (48, 36)
DRAWS = 4000
FILL = torch.tensor([104, 116, 124], dtype=torch.uint8).view(3, 1, 1)


@pytest.fixture(autouse=True)
def seed():
    np.random.seed(0)


def numbers(part, draws=DRAWS):
    return np.random.default_rng(5).random((draws, part.numbers))


SHAPES = np.tile(SIZE, (DRAWS, 1))


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


def batch(n=16, channels=3, channels_last=False):
    """Images of values that the fill does not have."""
    values = torch.randint(0, 90, (n, channels, *SIZE), dtype=torch.uint8)
    if channels_last:
        values = values.contiguous(memory_format=torch.channels_last)
    return values


def run(part, images, ori=SIZE):
    """A batch transform's result, with the numbers of :func:`numbers`."""
    shapes = np.tile(ori, (len(images), 1))
    return part(images, numbers(part, len(images)), shapes)


def boxes_of(erasing, n=16, start=0):
    """What is erased of ``n`` images, from the columns that begin at ``start``."""
    columns = numbers(type('All', (), dict(numbers=start + erasing.NUMBERS)), n)
    erased, boxes = erasing.rectangles(columns[:, start:], SIZE)
    return [tuple(box) if one else None for one, box in zip(erased, boxes, strict=True)]


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


@pytest.mark.parametrize(
    'unknown',
    [
        RandomCrop(8),
        RandomFlip(prob=0.5, direction='vertical'),
        RandomFlip(prob=[0.5], direction=['horizontal']),
        type('Mine', (Erasing,), {})(),
    ],
)
def test_another_transform_is_named(unknown):
    transforms = [Erasing(), unknown, PackInputs()]
    with pytest.raises(
        ValueError, match=rf'(?s)cannot run {type(unknown).__name__}.*cache ram'
    ):
        build_batch_transforms(transforms)


def test_pairs_come_last():
    with pytest.raises(ValueError, match='cannot run ErasingFlipPair'):
        transforms = [ErasingFlipPair(), Erasing(), PackInputs()]
        build_batch_transforms(transforms)
    with pytest.raises(ValueError, match='cannot run Erasing'):
        build_batch_transforms([Erasing()])
    built = build_batch_transforms([Erasing(), PackInputs()])
    assert [type(part) for part in built] == [BatchErasing]
