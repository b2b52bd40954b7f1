import cv2
import numpy as np
import pytest

from eac_mm.audit.looks import near_duplicates, outlier_scores, thumbnail
from eac_mm.datasets import SyntheticFER


def test_a_thumbnail_by_hand():
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, 16:] = [30, 60, 90]  # 60 on average
    small = thumbnail(image)
    assert small.shape == (16, 16)
    assert small[:, :8].tolist() == [[-30] * 8] * 16
    assert small[:, 8:].tolist() == [[30] * 8] * 16


def test_groups_by_hand():
    """Of 1 x 2 values: directions 0, 90, 6, 12, 200 degrees, and nothing."""
    angles = np.radians([0, 90, 6, 12, 200])
    values = np.stack([np.cos(angles), np.sin(angles)], 1)
    values = np.concatenate([values, [[0, 0]]])[:, None]
    # 6 degrees apart is a distance of 0.0055, 12 degrees 0.0219: a chain of three.
    # Mirrored, 0 degrees are 90.
    assert near_duplicates(values, 0.01).tolist() == [1, 1, 1, 1, 0, 0]
    assert near_duplicates(values, 0.004).tolist() == [1, 1, 0, 0, 0, 0]
    # 200 degrees mirrored are 250, and 45 would be its own mirror image.
    alone = np.array([[[1, 1], [1, 1]], [[1, 0], [0, 0]]])
    assert near_duplicates(alone, 0.01).tolist() == [0, 0]


def as_jpeg(image):
    coded = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    'copy', [lambda image: image, lambda image: image[:, ::-1], as_jpeg]
)
def test_copies_of_faces_are_found_and_other_faces_are_not(copy):
    faces = SyntheticFER(size=100, img_size=48, pipeline=[])
    images = [faces.get_data_info(i)['img'] for i in range(100)]
    images += [copy(image) for image in images[10:20]]
    groups = near_duplicates(np.stack([thumbnail(image) for image in images]))
    wanted = np.zeros(110, int)
    wanted[10:20] = wanted[100:] = np.arange(1, 11)
    assert groups.tolist() == wanted.tolist()


def test_strangers_by_hand():
    """Mean cosine distance to the others, as a share of the median image's."""
    angles = np.radians([0, 0, 0, 0, 60])
    features = np.stack([np.cos(angles), np.sin(angles), 0 * angles, 0 * angles], 1)
    # Four images: (0 + 0 + 0 + 0.5) / 4, which is the median; the last: 0.5.
    wanted = [1 - np.exp(-1)] * 4 + [1 - np.exp(-0.5 / 0.125)]
    assert outlier_scores(features).tolist() == pytest.approx(wanted)
