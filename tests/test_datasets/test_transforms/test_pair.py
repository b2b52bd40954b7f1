import math
from collections import Counter

import cv2
import numpy as np
import pytest
import torch
from mmpretrain.registry import TRANSFORMS

from eac_mm.datasets import ErasingFlipPair

FILL = (104, 116, 124)
SHAPES = [(40, 60, 3), (40, 60, 1), (40, 60)]


@pytest.fixture(autouse=True)
def seed():
    np.random.seed(0)


def faces(*shape):
    """Values below 100: neither the fill nor at an end of the scale."""
    return np.random.default_rng(1).integers(10, 100, shape, np.uint8)


def views(pair, img, **keys):
    return pair(dict(img=img, **keys))['img']


def rectangle(view, img):
    """Where a view differs from what it was made of: the erased pixels."""
    differs = view != img
    if differs.ndim == 3:
        differs = differs.any(2)
    if not differs.any():
        return None
    rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    box = (rows[0], columns[0], rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0])
    assert differs.sum() == box[2] * box[3]  # filled, all of it
    return tuple(int(value) for value in box)


def mirrored(box, width):
    top, left, h, w = box
    return top, width - left - w, h, w


# erasing and flipping


@pytest.mark.parametrize('shape', SHAPES)
def test_shared(shape):
    img = faces(*shape)
    pair, boxes = ErasingFlipPair(), []
    for _ in range(200):
        first, second = views(pair, img)
        np.testing.assert_array_equal(second, first[:, ::-1])
        boxes.append(rectangle(first, img))
        assert first.dtype == second.dtype == np.uint8
        assert first.shape == second.shape == shape
    erased = [box for box in boxes if box]
    assert abs(len(erased) - 100) < 5 * math.sqrt(200 / 4)
    assert len(set(erased)) > 0.9 * len(erased)  # drawn anew each time


@pytest.mark.parametrize('shape', SHAPES)
def test_independent(shape):
    img = faces(*shape)
    fill = FILL if shape[2:] == (3,) else 114
    pair = ErasingFlipPair(erasing='independent', prob=1)
    boxes = []
    for _ in range(200):
        first, second = views(pair, img)
        for view, whole in ((first, img), (second, img[:, ::-1])):
            top, left, h, w = rectangle(view, whole)
            assert (view[top : top + h, left : left + w] == fill).all()
            boxes.append((top, left, h, w))
    same = sum(
        b == mirrored(a, 60) for a, b in zip(boxes[::2], boxes[1::2], strict=True)
    )
    assert same <= 2
    # the two heights are drawn on their own
    heights = np.array([box[2] for box in boxes]).reshape(-1, 2).T
    assert abs(np.corrcoef(heights)[0, 1]) < 5 / math.sqrt(200)


def test_independent_views_are_erased_or_not_on_their_own():
    img = faces(40, 60, 3)
    pair, counts = ErasingFlipPair(erasing='independent'), Counter()
    for _ in range(1000):
        first, second = views(pair, img)
        erased = rectangle(first, img), rectangle(second, img[:, ::-1])
        counts[tuple(box is not None for box in erased)] += 1
    for combination in [(False, False), (False, True), (True, False), (True, True)]:
        assert abs(counts[combination] - 250) < 5 * math.sqrt(1000 * 3 / 16)


@pytest.mark.parametrize('erasing', ['shared', 'independent'])
def test_without_erasing(erasing):
    img = faces(40, 60, 3)
    first, second = views(ErasingFlipPair(erasing=erasing, prob=0), img)
    np.testing.assert_array_equal(first, img)
    np.testing.assert_array_equal(second, img[:, ::-1])


@pytest.mark.parametrize('noise', [0, 30])
@pytest.mark.parametrize('noise_views', ['classified', 'both'])
@pytest.mark.parametrize('erasing', ['shared', 'independent'])
@pytest.mark.parametrize('prob', [0, 1])
@pytest.mark.parametrize('shape', SHAPES)
def test_never_in_place(shape, prob, erasing, noise_views, noise):
    img = faces(*shape)
    before = img.tobytes()
    img.flags.writeable = False
    pair = ErasingFlipPair(
        erasing=erasing,
        prob=prob,
        noise_views=noise_views,
        noise_variance=noise,
        noise_prob=1,
    )
    first, second = views(pair, img)
    kept = second.copy()
    first[:] = 1  # each is the caller's, and its own
    np.testing.assert_array_equal(second, kept)
    second[:] = 2
    assert (first == 1).all()
    assert img.tobytes() == before


# noise


def noisy_pair(**kwargs):
    fields = dict(prob=0, noise_variance=30, noise_prob=1) | kwargs
    return ErasingFlipPair(**fields)


@pytest.mark.parametrize('erasing', ['shared', 'independent'])
def test_noise_on_the_classified_view(erasing):
    img = np.full((200, 200, 3), 128, np.uint8)
    first, second = views(noisy_pair(erasing=erasing), img)
    np.testing.assert_array_equal(second, img)
    noise = first.astype(float) - 128
    # rounding adds 1/12; five standard errors of mean and variance
    assert abs(noise.mean()) < 5 * math.sqrt(30 / noise.size)
    assert abs(noise.var() - 30 - 1 / 12) < 5 * 30 * math.sqrt(2 / noise.size)
    # Gaussian: a kurtosis of 3 (2.9998 and more for rounded values)
    assert abs((noise**4).mean() / noise.var() ** 2 - 3) < 5 * math.sqrt(
        24 / noise.size
    )
    # every pixel and channel on its own
    for a, b in [
        (noise[1:], noise[:-1]),
        (noise[:, 1:], noise[:, :-1]),
        (noise[..., 0], noise[..., 1]),
    ]:
        assert abs((a * b).mean()) < 5 * 30 / math.sqrt(a.size)


def test_noise_on_both_views():
    img = np.full((50, 50, 3), 128, np.uint8)
    first, second = views(noisy_pair(noise_views='both'), img)
    assert (first != 128).mean() > 0.8
    np.testing.assert_array_equal(second, first[:, ::-1])


def test_noise_on_both_views_erased_independently():
    img = np.full((50, 50, 3), 60, np.uint8)
    pair = noisy_pair(noise_views='both', erasing='independent', prob=1)
    first, second = views(pair, img)
    kept = (first != FILL).any(2) & (second[:, ::-1] != FILL).any(2)
    assert kept.mean() > 0.4
    np.testing.assert_array_equal(first[kept], second[:, ::-1][kept])


@pytest.mark.parametrize('erasing', ['shared', 'independent'])
def test_noise_lies_under_the_erased_rectangle(erasing):
    img = np.full((50, 50, 3), 60, np.uint8)  # noise never reaches the fill
    first, second = views(noisy_pair(erasing=erasing, prob=1), img)
    erased = np.where((first == FILL).all(2), 0, 60).astype(np.uint8)
    box = rectangle(erased, img[..., 0])
    assert ((first == FILL).any(2) == (erased == 0)).all()
    assert (first != 60)[erased == 60].mean() > 0.8  # noise everywhere else
    other = mirrored(rectangle(second, img), 50)
    assert (box == other) == (erasing == 'shared')


def test_noise_probability():
    img = np.full((8, 8, 3), 128, np.uint8)
    pair = noisy_pair(noise_prob=0.5)
    noisy = sum((views(pair, img)[0] != img).any() for _ in range(1000))
    assert abs(noisy - 500) < 5 * math.sqrt(250)


@pytest.mark.parametrize('kwargs', [dict(noise_prob=0), dict(noise_variance=0)])
def test_without_noise(kwargs):
    img = faces(20, 20, 3)
    for _ in range(20):
        np.testing.assert_array_equal(views(noisy_pair(**kwargs), img)[0], img)


def test_noise_is_clipped():
    for value in (0, 255):
        img = np.full((100, 100, 3), value, np.uint8)
        change = np.abs(views(noisy_pair(), img)[0].astype(int) - value)
        # nothing wraps around, and a half of it is cut off (P(|x| < 0.5) = 0.073)
        assert change.max() < 40
        assert abs((change == 0).mean() - 0.5 - 0.073 / 2) < 5 * 0.5 / math.sqrt(30_000)


@pytest.mark.parametrize('shape', [(40, 60), (40, 60, 1)])
def test_noise_on_grey_images(shape):
    img = np.full(shape, 128, np.uint8)
    first, second = views(noisy_pair(), img, ori_shape=(20, 30))
    assert first.shape == shape
    assert (first != 128).mean() > 0.5
    np.testing.assert_array_equal(second, img)


def test_noise_is_drawn_at_the_original_size():
    img = np.full((800, 800, 3), 128, np.uint8)
    first, _ = views(noisy_pair(), img, ori_shape=(100, 100))
    noise = first[4:-4, 4:-4].astype(float) - 128
    # Bilinear from neighbours with weights t and 1 - t, t = 1/16, 3/16, ... 15/16
    # along either axis: 30 * (mean of t ** 2 + (1 - t) ** 2) ** 2, and rounding.
    t = (np.arange(8) + 0.5) / 8
    expected = 30 * np.mean(t**2 + (1 - t) ** 2) ** 2 + 1 / 12
    assert 13.2 < expected < 13.4
    assert abs(noise.var() - expected) < 0.5
    # smooth within a cell, independent two cells apart
    assert np.abs(np.diff(noise, axis=1)).mean() < 1.5
    assert abs((noise[:, 16:] * noise[:, :-16]).mean()) < 0.5


def test_noise_after_resize_is_that_of_noise_before_it():
    # the authors add it first: resizing the sum is the sum of the resized
    img = cv2.resize(faces(25, 30, 3), (60, 50))
    pair = noisy_pair()
    noise = []
    for _ in range(200):
        first, second = views(pair, img, ori_shape=(25, 30))
        noise.append(first.astype(float) - second[:, ::-1])
    ours = np.var(noise)
    small = np.random.default_rng(2).normal(0, math.sqrt(30), (200, 25, 30))
    theirs = np.var([cv2.resize(n, (60, 50)) for n in small])
    assert abs(ours - theirs - 1 / 12) < 0.4


# in a pipeline


def test_packed():
    pipeline = [
        dict(type='Resize', scale=(32, 24)),
        dict(type='ErasingFlipPair', prob=1),
        dict(type='PackInputs'),
    ]
    results = dict(img=faces(12, 16, 3), ori_shape=(12, 16), gt_label=2)
    for step in pipeline:
        results = TRANSFORMS.build(step)(results)
    first, second = results['inputs']
    assert first.dtype == second.dtype == torch.uint8
    assert first.shape == second.shape == (3, 24, 32)
    assert torch.equal(second, first.flip(-1))
    assert int(results['data_samples'].gt_label) == 2


def test_registered():
    pair = TRANSFORMS.build(
        dict(
            type='ErasingFlipPair',
            erasing='independent',
            noise_variance=30,
            noise_views='both',
            prob=0.4,
            area=(0.1, 0.2),
        )
    )
    assert repr(pair) == (
        'ErasingFlipPair(prob=0.4, area=(0.1, 0.2), aspect=(0.3, 3.3), '
        "fill=(103.53, 116.28, 123.675), erasing='independent', noise_variance=30, "
        "noise_prob=0.5, noise_views='both')"
    )


def test_defaults_are_the_papers():
    pair = ErasingFlipPair()
    assert (pair.erasing, pair.noise_variance, pair.prob) == ('shared', 0, 0.5)
    assert (pair.area, pair.aspect) == ((0.02, 0.25), (0.3, 3.3))


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (
            dict(erasing='both'),
            r"erasing='both' is unknown. Fix: .*'shared', 'indep",
        ),
        (
            dict(noise_views='first'),
            r"noise_views='first' is unknown. Fix: .*'classified', 'bot",
        ),
        (dict(noise_variance=-1), r'noise_variance=-1 is not .* Fix: give 0 or more'),
        (dict(noise_variance=math.nan), r'noise_variance=nan'),
        (dict(noise_prob=1.5), r'noise_prob=1.5'),
        (dict(noise_prob=math.nan), r'noise_prob=nan'),
        (dict(prob=2), r'prob=2'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ErasingFlipPair(**kwargs)
