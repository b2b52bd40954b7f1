import cv2
import numpy as np
import pytest
from pictures import astronaut, coffee, grace_hopper, rotate, scene
from skimage.transform import SimilarityTransform

from eac_mm.deploy import MTCNN, Face, FaceAligner, get_template, similarity
from eac_mm.deploy.alignment import box_matrix, warp

TEMPLATE = get_template('arcface')
ANGLES = (-20, -10, 10, 20), (-15, -5, 5, 15)


@pytest.fixture(scope='module')
def aligner():
    return FaceAligner(MTCNN(), TEMPLATE, 112)


class Fixed:
    """A detector that knows where the face is."""

    passes = 0

    def __init__(self, points, box=(0, 0, 100, 100)):
        self.face = Face(np.array(box, float), 1.0, np.array(points, float))

    def __call__(self, image):
        return [self.face]


def nearest(faces, centre):
    """The face at a place, None if there is none."""
    away = [np.linalg.norm(found.face.centre - centre) for found in faces]
    return faces[int(np.argmin(away))] if away and min(away) < 40 else None


def test_synthetic_faces_rotated_by_known_angles(aligner):
    found, errors = 0, []
    for seed in range(0, 32, 4):
        angles = ANGLES[seed // 4 % 2]
        tilted, centres = scene(angles, seed)
        upright, _ = scene([0] * 4, seed)
        tilted, upright = aligner(tilted), aligner(upright)
        for angle, centre in zip(angles, centres, strict=True):
            one, other = nearest(tilted, centre), nearest(upright, centre)
            found += one is not None
            if one and other:
                errors.append(abs(one.face.roll - other.face.roll - angle))
    assert found >= 0.9 * 32
    assert np.median(errors) < 1.5


@pytest.mark.parametrize('picture', [astronaut, grace_hopper])
def test_photographs_rotated_by_known_angles(aligner, picture):
    (upright,) = aligner(picture())
    for angle in (-40, -20, 20, 40):
        (tilted,) = aligner(rotate(picture(), angle))
        assert tilted.face.roll - upright.face.roll == pytest.approx(angle, abs=1.5)
        assert tilted.status == 'ok'


def test_the_second_pass_improves_the_points():
    detector = MTCNN()
    aligner = FaceAligner(detector, TEMPLATE, 112)
    mean = []
    for detector.passes in (0, 1):
        rolls = [
            aligner(rotate(astronaut(), angle))[0].face.roll - angle
            for angle in range(-40, 41, 10)
        ]
        mean.append(np.abs(np.array(rolls) - np.median(rolls)).mean())
    assert mean[1] < mean[0] / 2


def test_points_land_on_the_template(aligner):
    (found,) = aligner(rotate(astronaut(), 25))
    placed = found.face.points @ found.matrix[:, :2].T + found.matrix[:, 2]
    assert np.abs(placed / 112 - TEMPLATE.points).max() < 0.06  # her own face
    # The aligned face, looked at again, is upright and where it should be.
    (again,) = MTCNN()(cv2.copyMakeBorder(found.image, *[40] * 4, cv2.BORDER_CONSTANT))
    assert np.abs((again.points - 40) / 112 - TEMPLATE.points).max() < 0.08


def test_no_face(aligner):
    assert aligner(coffee()) == []


def test_the_size_is_that_asked_for():
    (found,) = FaceAligner(MTCNN(), TEMPLATE, 48, faces='largest')(astronaut())
    assert found.image.shape == (48, 48, 3)
    assert found.image.dtype == np.uint8


def test_without_a_detector_the_picture_is_the_face():
    picture = astronaut()[:40, :20]
    (found,) = FaceAligner(None, TEMPLATE, 112)(picture)
    assert found.image is picture
    assert found.face.box.tolist() == [0, 0, 20, 40]
    assert found.status == 'ok'
    # Corners of the picture are corners of the network's image.
    corners = np.array([[0, 0, 1], [20, 40, 1]]) @ found.matrix.T
    assert corners.tolist() == [[0, 0], [112, 112]]


def test_a_network_of_grey_images_gets_grey_ones():
    for detector in (None, MTCNN()):
        (found,) = FaceAligner(detector, get_template('ferplus'), 48)(astronaut())
        assert (found.image[..., :1] == found.image).all()
        assert found.image.std() > 10


def test_tiny_and_profile():
    points = 100 * TEMPLATE.points
    shrunk = points / 4  # eyes 7.9 pixels apart
    assert status_of(shrunk) == 'tiny'
    assert status_of(points) == 'ok'
    turned = points.copy()
    turned[2, 0] = 20  # left of both eyes
    (found,) = FaceAligner(Fixed(turned), TEMPLATE, 50)(np.zeros((100, 100, 3), 'u1'))
    assert found.status == 'profile'
    assert found.matrix.tolist() == [[0.5, 0, 0], [0, 0.5, 0]]  # the box, not rotated


def status_of(points):
    picture = np.zeros((100, 100, 3), np.uint8)
    return FaceAligner(Fixed(points), TEMPLATE, 50)(picture)[0].status


def test_similarity_against_skimage():
    rng = np.random.default_rng(0)
    for _ in range(20):
        points, target = rng.normal(size=(2, 5, 2))
        oracle = SimilarityTransform.from_estimate(points, target).params[:2]
        ours = similarity(points, target)
        if np.linalg.det(oracle[:, :2]) > 0:
            assert np.abs(ours - oracle).max() < 1e-9


def test_similarity_by_hand():
    # A quarter turn clockwise on the screen, twice the size, and a shift.
    points = np.array([[0, 0], [1, 0], [0, 1.0]])
    target = np.array([[5, 3], [5, 5], [3, 3.0]])
    assert np.allclose(similarity(points, target), [[0, -2, 5], [2, 0, 3]])
    with pytest.raises(ValueError, match='all points are the same'):
        similarity(np.ones((3, 2)), target)


def test_box_matrix():
    # A box of 20 x 40 made square: x from 0 to 40, y from 20 to 60.
    matrix = box_matrix((10, 20, 30, 60), 80)
    corners = np.array([[0, 20, 1], [40, 60, 1]]) @ matrix.T
    assert corners.tolist() == [[0, 0], [80, 80]]


def test_warp_averages_what_it_shrinks():
    # A grid of single black and white pixels is grey from afar.
    grid = np.indices((64, 64)).sum(0) % 2 * np.uint8(255)
    picture = np.repeat(grid[:, :, None].astype(np.uint8), 3, 2)
    small = warp(picture, np.array([[0.25, 0, 0], [0, 0.25, 0]]), 16)
    assert np.abs(small[1:-1, 1:-1].astype(float) - 127.5).max() <= 1


def test_warp_by_one_pixel():
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[1, 2] = 255
    moved = warp(picture, np.array([[1, 0, 1], [0, 1, 2.0]]), 4)
    assert np.argwhere(moved[:, :, 0]).tolist() == [[3, 3]]
