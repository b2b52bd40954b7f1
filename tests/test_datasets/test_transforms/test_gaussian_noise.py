import cv2
import numpy as np
import pytest

from eac_mm.datasets import GaussianNoise


def test_the_noise_has_the_variance():
    image = np.full((200, 200, 3), 128, np.uint8)
    np.random.seed(0)
    results = GaussianNoise(variance=30).transform(dict(img=image))
    noise = results['img'].astype(float) - 128
    # Rounding adds a variance of 1 / 12. 120,000 values: five standard deviations of
    # the mean are 0.08, and of the variance 0.61.
    assert abs(noise.mean()) < 0.08
    assert abs(noise.var() - 30 - 1 / 12) < 0.62
    assert (image == 128).all()
    assert results['img'].dtype == np.uint8


@pytest.mark.parametrize('channels', [(), (1,), (3,)])
def test_it_is_drawn_at_the_size_that_was_read(channels):
    image = np.full((8, 12, *channels), 100, np.uint8)
    np.random.seed(3)
    found = GaussianNoise().transform(dict(img=image, ori_shape=(4, 6)))['img']
    np.random.seed(3)
    noise = cv2.resize(np.random.normal(0, 30**0.5, (4, 6, *channels)), (12, 8))
    expected = np.rint(100 + noise.reshape(image.shape))
    np.testing.assert_array_equal(found, expected)


def test_it_stays_within_the_range():
    for colour in (0, 255):
        image = np.full((40, 40), colour, np.uint8)
        found = GaussianNoise(variance=900).transform(dict(img=image))['img']
        assert (abs(found.astype(int) - colour) < 200).all()  # it does not wrap around
        assert (found == colour).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize('variance', [-1, float('inf'), float('nan')])
def test_other_variances_are_refused(variance):
    with pytest.raises(ValueError, match=rf'variance={variance} is not .*Fix: give 0'):
        GaussianNoise(variance)
