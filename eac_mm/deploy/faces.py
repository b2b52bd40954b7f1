"""What a detector says of a face, and which faces of a picture count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

CHOICES = ('all', 'largest', 'central')


@dataclass(frozen=True)
class Face:
    """A face in a picture.

    Attributes:
        box: Left, top, right and bottom in pixels, float (4,); may reach beyond the
            picture.
        score: How sure the detector is, 0 to 1.
        points: Left eye, right eye, tip of the nose, left and right corner of the
            mouth, as x and y in pixels, float (5, 2). Left is left in the picture.
    """

    box: np.ndarray
    score: float
    points: np.ndarray

    @property
    def eye_distance(self) -> float:
        """Distance between the eyes in pixels."""
        return float(np.linalg.norm(self.points[1] - self.points[0]))

    @property
    def roll(self) -> float:
        """Angle of the line through the eyes in degrees; positive is clockwise."""
        x, y = self.points[1] - self.points[0]
        return float(np.degrees(np.arctan2(y, x)))

    @property
    def centre(self) -> np.ndarray:
        """Centre of the box, x and y."""
        return (self.box[:2] + self.box[2:]) / 2

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return float((self.box[2:] - self.box[:2]).clip(0).prod())


class Detector(Protocol):
    """Whatever finds faces in a picture.

    Attributes:
        passes: How often to look again on the aligned face for better points.
    """

    passes: int

    def __call__(self, image: np.ndarray) -> list[Face]:
        """Find the faces of a picture, uint8 (H, W, 3) in BGR order."""
        ...


def choose(faces: Sequence[Face], which: str, shape: Sequence[int]) -> list[Face]:
    """Choose among the faces of a picture.

    Args:
        faces: The faces.
        which: ``'all'``, the ``'largest'`` box, or the most ``'central'`` one.
        shape: Height and width of the picture.

    Raises:
        ValueError: For another choice.
    """
    if which not in CHOICES:
        raise ValueError(f'faces={which!r} is unknown. Fix: choose one of {CHOICES}.')
    if which == 'all' or not faces:
        return list(faces)
    if which == 'largest':
        return [max(faces, key=lambda face: face.area)]
    middle = np.array([shape[1], shape[0]]) / 2
    return [min(faces, key=lambda face: np.linalg.norm(face.centre - middle))]
