"""Find faces with YuNet, whose file the user gives."""

from pathlib import Path

import cv2
import numpy as np

from .faces import Face

FIX = (
    'Fix: download face_detection_yunet_2023mar.onnx from the OpenCV Zoo '
    '(github.com/opencv/opencv_zoo), and give its path.'
)


class YuNet:
    """OpenCV's ``FaceDetectorYN``. It needs a file that no package has.

    Its points lie upright on tilted faces: the aligner looks again three times.

    Args:
        path: The model, such as ``face_detection_yunet_2023mar.onnx``.
        threshold: Score that a face must reach, 0 to 1. Defaults to 0.7.

    Attributes:
        passes: How often the aligner looks again on the aligned face.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If OpenCV cannot load it.
    """

    passes = 3

    def __init__(self, path: str | Path, threshold: float = 0.7) -> None:
        if not Path(path).is_file():
            raise FileNotFoundError(
                f'YuNet: {path} does not exist (seen from {Path.cwd()}). {FIX}'
            )
        try:
            self.net = cv2.FaceDetectorYN.create(str(path), '', (320, 320), threshold)
        except (cv2.error, SystemError) as error:
            why = ' '.join(str(error).split())
            raise ValueError(
                f'YuNet: OpenCV cannot load {path} ({why}). {FIX}'
            ) from error

    def __call__(self, image: np.ndarray) -> list[Face]:
        """Find the faces of a picture, uint8 (H, W, 3) in BGR order."""
        self.net.setInputSize(image.shape[1::-1])
        rows = self.net.detect(image)[1]
        # A row: left, top, width, height, five points from left to right in the
        # picture as Face has them, score.
        return [
            Face(
                np.array([x, y, x + width, y + height], float),
                float(score),
                np.array(points, float).reshape(5, 2),
            )
            for x, y, width, height, *points, score in (() if rows is None else rows)
        ]
