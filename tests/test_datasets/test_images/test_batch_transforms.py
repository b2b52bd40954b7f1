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


def settled(part, draws=DRAWS):
    part.settle(numbers(part, draws), SIZE)
    return part


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
    batch = settled(BatchErasing(Erasing(**settings)))
    boxes = batch.rectangles[batch.erased]
    expected = by_one(Erasing(**settings))
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
    batch = BatchErasing(Erasing(prob=1))
    for value in (0.0, 1 - 2**-53):
        batch.settle(np.full((1, batch.numbers), value), SIZE)
        top, left, h, w = batch.rectangles[0]
        assert 0 <= top <= SIZE[0] - h and 0 <= left <= SIZE[1] - w


@pytest.mark.parametrize('prob', [0.0, 0.5, 1.0])
def test_probability(prob):
    erased = settled(BatchErasing(Erasing(prob=prob))).erased
    flipped = settled(BatchFlip(RandomFlip(prob=prob))).flipped
    error = math.sqrt(prob * (1 - prob) / DRAWS)
    for found in (erased, flipped):
        assert abs(found.mean() - prob) <= 5 * error


def batch(n=16, channels=3, channels_last=False):
    """Values that are no fill, and the indices they stand at."""
    values = torch.randint(0, 90, (n, channels, *SIZE), dtype=torch.uint8)
    if channels_last:
        values = values.contiguous(memory_format=torch.channels_last)
    return values, np.arange(n) * 7 % DRAWS


@pytest.mark.parametrize('channels_last', [False, True])
@pytest.mark.parametrize('bgr', [True, False])
def test_erased_and_kept_pixels(bgr, channels_last):
    """As the transform does with the same rectangles."""
    erasing = Erasing(prob=0.7)
    part = settled(BatchErasing(erasing))
    images, samples = batch(channels_last=channels_last)
    before = images.numpy().transpose(0, 2, 3, 1).copy()
    found = part(images, samples, bgr).numpy().transpose(0, 2, 3, 1)
    assert 0 < part.erased[samples].sum() < len(samples)
    for row, idx in enumerate(samples):
        box = part.rectangles[idx] if part.erased[idx] else None
        img = before[row] if bgr else before[row][:, :, ::-1]
        expected = erasing.erase(img, box)
        expected = expected if bgr else expected[:, :, ::-1]
        np.testing.assert_array_equal(found[row], expected)


def test_images_of_another_number_of_channels_get_the_mean():
    part = settled(BatchErasing(Erasing(prob=1)))
    images, samples = batch(channels=1)
    part(images, samples, bgr=True)
    top, left, h, w = part.rectangles[samples[3]]
    assert (images[3, 0, top : top + h, left : left + w] == 114).all()


def test_flip():
    part = settled(BatchFlip(RandomFlip(prob=0.5)))
    images, samples = batch()
    before = images.clone()
    found = part(images, samples, True)
    for row, flip in enumerate(part.flipped[samples]):
        assert torch.equal(found[row], before[row].flip(-1) if flip else before[row])
    assert 0 < part.flipped[samples].sum() < len(samples)


def pair(draws=DRAWS, ori=SIZE, **settings):
    shapes = np.tile(ori, (draws, 1))
    return settled(BatchPair(ErasingFlipPair(**settings), shapes), draws)


def test_shared_pair():
    images, samples = batch()
    before = images.clone()
    first, second = pair()(images, samples, True)
    assert torch.equal(second, first.flip(-1))
    differs = first != before
    assert differs.any() and not differs.all()
    assert torch.equal(first[differs], FILL.expand_as(first)[differs])


def test_independent_pair():
    part = pair(erasing='independent')
    one, two = (e.erased for e in part.erasings)
    for a in (False, True):
        for b in (False, True):
            share = ((one == a) & (two == b)).mean()
            assert abs(share - 0.25) < 5 * math.sqrt(3 / 16 / DRAWS)
    boxes = np.stack([e.rectangles[one & two] for e in part.erasings])
    for column in range(4):
        r = np.corrcoef(boxes[0, :, column], boxes[1, :, column])[0, 1]
        assert abs(r) < 5 / math.sqrt(boxes.shape[1])
    images, samples = batch()
    before = images.clone()
    views = part(images, samples, True)
    erasing = Erasing()
    for row, idx in enumerate(samples):
        flipped = before[row].flip(-1)
        for view, img, e in zip(
            views, (before[row], flipped), part.erasings, strict=True
        ):
            expected = erasing.erase(
                img.permute(1, 2, 0).numpy(),
                e.rectangles[idx] if e.erased[idx] else None,
            )
            np.testing.assert_array_equal(view[row].permute(1, 2, 0), expected)


@pytest.mark.parametrize('erasing', ['shared', 'independent'])
def test_noise_on_the_classified_view(erasing):
    images = torch.full((200, 3, *SIZE), 128, dtype=torch.uint8)
    settings = dict(erasing=erasing, prob=0, noise_variance=30)
    first, second = pair(200, **settings)(images, np.arange(200), True)
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
    images, samples = batch()
    settings = dict(erasing=erasing, prob=0, noise_variance=30, noise_prob=1)
    before = images.clone()
    first, second = pair(**settings, noise_views='both')(images, samples, True)
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
    part = BatchNoise(transform, np.tile(ori, (300, 1)))
    part.settle(numbers(part, 300), SIZE)
    noise = part(images, np.arange(300), True).double() - 128
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
    part = BatchNoise(
        ErasingFlipPair(noise_variance=30, noise_prob=1), np.tile(SIZE, (2, 1))
    )
    part.settle(numbers(part, 2), SIZE)
    assert part(images, np.arange(2), True).min() > 200


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
        ValueError, match=rf'(?s)cannot run {type(unknown).__name__}.*cache=ram'
    ):
        build_batch_transforms(transforms, np.zeros((1, 2)))


def test_pairs_come_last():
    with pytest.raises(ValueError, match='cannot run ErasingFlipPair'):
        transforms = [ErasingFlipPair(), Erasing(), PackInputs()]
        build_batch_transforms(transforms, np.zeros((1, 2)))
    with pytest.raises(ValueError, match='cannot run Erasing'):
        build_batch_transforms([Erasing()], np.zeros((1, 2)))
    built = build_batch_transforms([Erasing(), PackInputs()], np.zeros((1, 2)))
    assert [type(part) for part in built] == [BatchErasing]
