import numpy as np
import pytest
from mmpretrain.registry import TRANSFORMS

from eac_mm.datasets import CropFace

IMAGE = np.arange(10 * 20, dtype=np.uint8).reshape(10, 20)


@pytest.mark.parametrize(
    ('box', 'margin', 'rows', 'columns'),
    [
        ((3, 2, 6, 4), 0.0, (2, 6), (3, 9)),
        ((3, 2, 6, 4), 0.5, (0, 8), (0, 12)),
        ((3, 2, 10, 4), 0.25, (1, 7), (0, 16)),  # 0.5 to 15.5
        ((-5, -1, 10, 4), 0.0, (0, 3), (0, 5)),
        ((15, 8, 10, 10), 0.0, (8, 10), (15, 20)),
        ((-5, -5, 100, 100), 1.0, (0, 10), (0, 20)),
        ((0, 0, 1, 1), 0.0, (0, 1), (0, 1)),
    ],
)
def test_crop(box, margin, rows, columns):
    results = CropFace(margin).transform(dict(img=IMAGE, bbox=box, ori_shape=(10, 20)))
    expected = IMAGE[slice(*rows), slice(*columns)]
    assert np.array_equal(results['img'], expected)
    assert results['img_shape'] == results['ori_shape'] == expected.shape


def test_the_image_is_copied_and_keeps_its_channels():
    image = np.zeros((4, 4, 3), np.uint8)
    face = CropFace().transform(dict(img=image, bbox=(1, 1, 2, 3)))['img']
    assert face.shape == (3, 2, 3)
    face[:] = 9
    assert not image.any()


def test_without_a_box_the_image_stays_whole():
    results = dict(img=IMAGE, bbox=None, img_shape=(10, 20))
    assert CropFace().transform(dict(results)) == results


@pytest.mark.parametrize('box', [(20, 0, 5, 5), (0, 10, 5, 5), (-9, -9, 5, 5)])
def test_box_outside(box):
    with pytest.raises(
        ValueError, match=r'box .* of x/y.jpg lies outside .* 20 x 10 pixels.*Fix'
    ):
        CropFace().transform(dict(img=IMAGE, bbox=box, img_path='x/y.jpg'))


def test_no_box_at_all():
    with pytest.raises(KeyError, match=r'bbox.*crop=True. Fix.*leave CropFace out'):
        CropFace().transform(dict(img=IMAGE))


@pytest.mark.parametrize('margin', [-0.1, float('inf'), float('nan')])
def test_bad_margin(margin):
    with pytest.raises(ValueError, match='margin=.*0 or more'):
        CropFace(margin)


def test_registered():
    transform = TRANSFORMS.build(dict(type='CropFace', margin=0.2))
    assert repr(transform) == 'CropFace(margin=0.2)'
