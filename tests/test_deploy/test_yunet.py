"""YuNet's file is in no package: OpenCV's class is replaced by one that knows a row."""

import cv2
import numpy as np
import pytest

from eac_mm.deploy import YuNet

# As OpenCV documents it: x, y, w, h, right eye, left eye, nose tip, right and left
# corner of the mouth (of the person: the right one is left in the picture), score.
ROW = [10, 20, 30, 40, 15, 30, 33, 31, 24, 40, 17, 50, 32, 51, 0.9]


@pytest.fixture
def detector(monkeypatch, tmp_path):
    class Net:
        def setInputSize(self, size):
            self.size = size

        def detect(self, image):
            assert self.size == (7, 5)
            return 1, np.array([ROW], np.float32) if image.any() else None

    class Maker:
        @staticmethod
        def create(*args):
            return Net()

    monkeypatch.setattr(cv2, 'FaceDetectorYN', Maker)
    path = tmp_path / 'yunet.onnx'
    path.touch()
    return YuNet(path)


def test_a_row(detector):
    (face,) = detector(np.ones((5, 7, 3), np.uint8))
    assert face.box.tolist() == [10, 20, 40, 60]
    assert face.points.tolist() == [[15, 30], [33, 31], [24, 40], [17, 50], [32, 51]]
    assert face.score == pytest.approx(0.9)


def test_no_face(detector):
    assert detector(np.zeros((5, 7, 3), np.uint8)) == []


def test_a_file_that_is_no_model(tmp_path):
    path = tmp_path / 'other.onnx'
    path.write_bytes(b'no model')
    with pytest.raises(ValueError, match=r'cannot load .*other.onnx.*Fix: download'):
        YuNet(path)
