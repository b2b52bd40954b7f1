"""dlib is an option: a module that knows one answer takes its place."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from eac_mm.deploy import Face, build_detector, dlib_eyes
from eac_mm.deploy.dlib_eyes import DlibEyes

POINTS = np.array([[40, 50], [60, 50], [50, 62], [42, 75], [58, 75.0]])
# Corners of the right eye in the picture, outer and inner, of the left one, nose.
FOUND = [(66, 52), (56, 50), (33, 49), (45, 51), (50, 63)]


def detect(image):
    return [Face(np.array([30, 30, 70, 90.0]), 0.8, POINTS)]


@pytest.fixture
def boxes(monkeypatch, tmp_path):
    """Boxes that the predictor was asked for."""
    asked = []

    def predictor(image, box):
        asked.append(box)
        return SimpleNamespace(
            part=lambda i: SimpleNamespace(x=FOUND[i][0], y=FOUND[i][1])
        )

    module = SimpleNamespace(
        shape_predictor=lambda path: predictor, rectangle=lambda *sides: sides
    )
    monkeypatch.setitem(sys.modules, 'dlib', module)
    path = tmp_path / 'points.dat'
    path.write_bytes(b'')
    monkeypatch.setattr(dlib_eyes, 'find_package_file', lambda *args: path)
    monkeypatch.setattr(dlib_eyes, 'check_sha256', lambda *args: None)
    return asked


def test_eyes_are_the_middles_between_their_corners(boxes):
    (face,) = DlibEyes(detect)(np.zeros((100, 100, 3), np.uint8))
    assert face.points[:2].tolist() == [[39, 50], [61, 51]]
    assert face.points[2:].tolist() == POINTS[2:].tolist()
    # Eyes 20 apart around (50, 50): a box of 38 around (50, 60.6).
    assert boxes == [(31, 42, 69, 80)]


def test_dlib_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, 'dlib', None)
    with pytest.raises(ImportError, match=r'dlib is not installed. Fix: pip install'):
        build_detector('dlib')
