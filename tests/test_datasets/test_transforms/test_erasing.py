import math
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from mmpretrain.registry import TRANSFORMS

from eac_mm.datasets import Erasing

FILL = (104, 116, 124)  # 123.675, 116.28, 103.53 of ImageNet, in BGR, rounded
DRAWS = 3000


@pytest.fixture(autouse=True)
def seeds():
    np.random.seed(0)
    torch.manual_seed(0)


def published(size, draws, area, aspect):
    """Rectangles of torchvision's own sampling; None where it gives up."""
    from torchvision.transforms import RandomErasing

    image = torch.zeros(1, *size)
    found = []
    for _ in range(draws):
        *rectangle, value = RandomErasing.get_params(image, area, aspect, [1.0])
        found.append(None if value is image else tuple(rectangle))
    return found


def distance(a, b):
    """Kolmogorov and Smirnov's: the largest gap of the two distributions."""
    points = np.concatenate([a, b])
    below = [np.searchsorted(np.sort(x), points, 'right') / len(x) for x in (a, b)]
    return np.abs(below[0] - below[1]).max()


def script(monkeypatch, uniform, randint=(), random=0.0):
    """Let np.random say what it is told to."""
    mocks = dict(
        random=Mock(side_effect=[random]),
        uniform=Mock(side_effect=uniform),
        randint=Mock(side_effect=randint),
    )
    for name, mock in mocks.items():
        monkeypatch.setattr(np.random, name, mock)
    return mocks


# sampling


@pytest.mark.parametrize('size', [(224, 224), (48, 48), (90, 40)])
def test_sampling_is_torchvisions(size):
    area, aspect = (0.02, 0.25), (0.3, 3.3)
    theirs = published(size, DRAWS, area, aspect)
    erasing = Erasing(prob=1)
    ours = [erasing.sample_rectangle(*size) for _ in range(DRAWS)]
    none = [sum(r is None for r in found) / DRAWS for found in (ours, theirs)]
    assert abs(none[0] - none[1]) < 0.01
    height, width = size
    (t1, l1, h1, w1), (t2, l2, h2, w2) = (
        [np.array(column) for column in zip(*filter(None, found), strict=True)]
        for found in (ours, theirs)
    )
    # Of two like samples of 3000, one pair in 1000 is further apart than 0.0503.
    assert distance(h1 * w1, h2 * w2) < 0.0503
    assert distance(h1 / w1, h2 / w2) < 0.0503
    assert distance(t1 / (height - h1), t2 / (height - h2)) < 0.0503
    assert distance(l1 / (width - w1), l2 / (width - w2)) < 0.0503
    assert t1.min() == 0 and (t1 + h1).max() == height
    assert l1.min() == 0 and (l1 + w1).max() == width


def test_area_is_uniform_and_aspect_log_uniform():
    erasing = Erasing(prob=1)
    found = [erasing.sample_rectangle(1000, 1000) for _ in range(DRAWS)]
    _, _, h, w = np.array(found, dtype=float).T
    area, aspect = h * w / 1e6, np.log(h / w)
    uniform = np.linspace(0, 1, 100_001)
    # at this size nothing is rejected and rounding is small; one sample of 3000
    # in 1000 is further from its distribution than 0.0356
    assert distance((area - 0.02) / 0.23, uniform) < 0.0356
    low, high = math.log(0.3), math.log(3.3)
    assert distance((aspect - low) / (high - low), uniform) < 0.0356
    assert abs(np.corrcoef(area, aspect)[0, 1]) < 5 / math.sqrt(DRAWS)


def test_gives_up_as_often_as_torchvision():
    # Nearly the whole image, of any aspect: most tries do not fit.
    size, area, aspect = (60, 60), (0.7, 0.95), (0.2, 5.0)
    theirs = sum(r is None for r in published(size, DRAWS, area, aspect))
    erasing = Erasing(prob=1, area=area, aspect=aspect)
    ours = sum(erasing.sample_rectangle(*size) is None for _ in range(DRAWS))
    assert 0.1 * DRAWS < theirs < 0.9 * DRAWS
    assert abs(ours - theirs) < 5 * math.sqrt(DRAWS / 2)


@pytest.mark.parametrize('prob', [0.5, 0.2])
def test_probability(prob):
    erasing = Erasing(prob=prob)
    erased = sum(erasing.sample_rectangle(224, 224) is not None for _ in range(DRAWS))
    assert abs(erased - prob * DRAWS) < 5 * math.sqrt(DRAWS * prob * (1 - prob))


def test_never_and_always():
    assert [Erasing(prob=0).sample_rectangle(99, 99) for _ in range(200)] == [
        None
    ] * 200
    assert None not in [Erasing(prob=1).sample_rectangle(99, 99) for _ in range(200)]


def test_probability_is_one_draw(monkeypatch):
    # just below prob erases, prob itself does not: prob=0 is never
    script(monkeypatch, [0.1, 0.0], [0, 0], random=math.nextafter(0.5, 0))
    assert Erasing(prob=0.5).sample_rectangle(40, 60) is not None
    script(monkeypatch, [], [], random=0.5)
    assert Erasing(prob=0.5).sample_rectangle(40, 60) is None


# geometry


def test_rectangle(monkeypatch):
    # 10 % of 40 x 60 are 240 pixels; 1.5 times as high as wide:
    # sqrt(240 * 1.5) = 18.97 high, sqrt(240 / 1.5) = 12.65 wide
    mocks = script(monkeypatch, [0.1, math.log(1.5)], [21, 47])
    assert Erasing().sample_rectangle(40, 60) == (21, 47, 19, 13)
    area, aspect = (call.args for call in mocks['uniform'].call_args_list)
    assert area == (0.02, 0.25)
    np.testing.assert_allclose(aspect, (math.log(0.3), math.log(3.3)))
    # upper ends are left out: top up to 21, left up to 47
    assert [c.args for c in mocks['randint'].call_args_list] == [(0, 22), (0, 48)]


def test_next_try_where_it_does_not_fit(monkeypatch):
    # 25 % of 20 x 80 are 400 pixels; 3 times as high as wide: 35 high, too much;
    # a square of 20 is as high as the image: too much as well; 0.5: 14 x 28
    script(monkeypatch, [0.25, math.log(3), 0.25, 0.0, 0.25, math.log(0.5)], [0, 0])
    assert Erasing().sample_rectangle(20, 80) == (0, 0, 14, 28)


def test_ten_tries(monkeypatch):
    bad, good = [0.25, math.log(3)], [0.25, math.log(0.5)]
    script(monkeypatch, bad * 9 + good, [6, 52])
    assert Erasing().sample_rectangle(20, 80) == (6, 52, 14, 28)
    script(monkeypatch, bad * 10 + good, [6, 52])
    assert Erasing().sample_rectangle(20, 80) is None


# filling


def noise_image(*shape):
    return np.random.default_rng(1).integers(0, 100, shape, np.uint8)


@pytest.mark.parametrize('shape', [(40, 60, 3), (40, 60, 1), (40, 60)])
def test_fill(shape):
    fill = FILL if shape[2:] == (3,) else 114  # the mean of 103.53, 116.28, 123.675
    img = noise_image(*shape)
    out = Erasing().erase(img, (21, 47, 19, 13))
    assert out.dtype == np.uint8
    expected = img.copy()
    for row in range(21, 40):
        for column in range(47, 60):
            expected[row, column] = fill
    np.testing.assert_array_equal(out, expected)


def test_fill_is_grey_after_normalisation():
    mean = np.array([123.675, 116.28, 103.53])  # R, G, B, as models are given it
    out = Erasing().erase(noise_image(9, 9, 3), (0, 0, 9, 9))
    assert np.abs(out[..., ::-1] - mean).max() <= 0.5


def test_other_fill():
    out = Erasing(fill=(0, 128, 255)).erase(noise_image(9, 9, 3), (0, 0, 9, 9))
    assert (out == [0, 128, 255]).all()


def test_fill_of_float_images_is_not_rounded():
    img = noise_image(9, 9, 3).astype(np.float64)
    out = Erasing().erase(img, (0, 0, 9, 9))
    assert (out == [103.53, 116.28, 123.675]).all()


@pytest.mark.parametrize('prob', [0, 1])
@pytest.mark.parametrize('shape', [(40, 60, 3), (40, 60, 1), (40, 60)])
def test_never_in_place(prob, shape):
    img = noise_image(*shape)
    before = img.tobytes()
    img.flags.writeable = False
    results = dict(img=img, gt_label=3)
    out = Erasing(prob=prob)(results)
    assert img.tobytes() == before
    assert out['gt_label'] == 3
    assert not np.shares_memory(out['img'], img)
    out['img'][:] = 7  # the result is the caller's
    assert img.tobytes() == before


def test_transform_erases_one_rectangle():
    img = np.zeros((40, 60, 3), np.uint8)
    out = Erasing(prob=1)(dict(img=img))['img']
    erased = (out == FILL).all(2)
    rows, columns = np.flatnonzero(erased.any(1)), np.flatnonzero(erased.any(0))
    top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
    assert erased[top : bottom + 1, left : right + 1].all()
    assert erased.sum() == (bottom + 1 - top) * (right + 1 - left) > 0
    assert (out[~erased] == 0).all()


# building


def test_registered():
    config = dict(type='Erasing', prob=0.3, area=[0.1, 0.2], aspect=[1, 2])
    erasing = TRANSFORMS.build(config)
    assert repr(erasing) == (
        'Erasing(prob=0.3, area=(0.1, 0.2), aspect=(1, 2), '
        'fill=(103.53, 116.28, 123.675))'
    )


def test_defaults():
    erasing = Erasing()
    assert (erasing.prob, erasing.area, erasing.aspect, erasing.TRIES) == (
        0.5,
        (0.02, 0.25),
        (0.3, 3.3),
        10,
    )


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(prob=-0.1), r'prob=-0.1 is not .* Fix: give a probability in \[0, 1\]'),
        (dict(prob=1.1), r'prob=1.1'),
        (dict(prob=math.nan), r'prob=nan'),
        (dict(area=(0, 0.2)), r'area=\(0, 0.2\) is not .* Fix: give \(low, high\)'),
        (dict(area=(0.3, 0.2)), r'area='),
        (dict(area=(0.3, 1.2)), r'area='),
        (dict(area=(0.1, math.nan)), r'area='),
        (dict(aspect=(0, 3)), r'aspect=\(0, 3\) is not .* Fix: give \(low, high\)'),
        (dict(aspect=(3, 0.3)), r'aspect='),
        (dict(fill=0), r'fill=0 is not .* Fix: give one value for each channel'),
        (dict(fill=(0, 0, 256)), r'fill='),
        (dict(fill=(0, 0, -1)), r'fill='),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Erasing(**kwargs)
