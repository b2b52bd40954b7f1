"""Draw smooth shapes in the coordinates of a face.

Points are complex numbers x + iy in half face widths, x to the right and y down,
from the middle of the face. Thus a rotation is one product, and an ellipse one
line of code.
"""

import cv2
import numpy as np

from .parameters import Colour, Photo

SHIFT = 4  # bits of a coordinate below the pixel
STEPS = 2**SHIFT
_SMOOTH = {'lineType': cv2.LINE_AA, 'shift': SHIFT}
CIRCLE = np.exp(1j * np.linspace(0, 2 * np.pi, 33)[:-1])


class Pen:
    """Draw shapes given in face coordinates into a square image.

    Args:
        photo: Pose, scale and background.
        width: Width and height of the image in pixels.
    """

    def __init__(self, photo: Photo, width: int):
        self.unit = photo.scale * width
        # From a point to its pixel, in steps of OpenCV's sub-pixel grid.
        self._yaw = photo.yaw
        self._turn = STEPS * self.unit * np.exp(1j * photo.roll)
        middle = width * (0.5 + 0.5j + complex(*photo.shift)) - (0.5 + 0.5j)
        self._middle = STEPS * middle + (0.5 + 0.5j)  # a half to round
        ends = np.array(photo.background)[:, None].clip(0, 255).astype(np.uint8)
        self.image = cv2.resize(ends, (width, width))

    def fill(self, points: np.ndarray, colour: Colour) -> None:
        """Fill a polygon (n points), or several that do not touch (m, n)."""
        cv2.fillPoly(self.image, self._pixels(points), colour, **_SMOOTH)

    def line(
        self, points: np.ndarray, colour: Colour, width: float, closed: bool = False
    ) -> None:
        """Draw a line (n points) or several (m, n), as wide as ``width``."""
        pixels = self._pixels(points)
        thickness = max(1, round(width * self.unit))
        cv2.polylines(self.image, pixels, closed, colour, thickness, **_SMOOTH)

    def shade(self, strokes: list[tuple]) -> None:
        """Darken and lighten along soft strokes.

        Args:
            strokes: Of each stroke three points, a width, and the share by which
                to lighten or, below 0, to darken.
        """
        relief = np.full(self.image.shape[:2], 128, np.uint8)
        pixels = self._pixels(np.array([stroke[:3] for stroke in strokes]))
        for curve, (*_, width, level) in zip(pixels, strokes, strict=True):
            value = min(max(128 * (1 + level), 0), 255)
            thickness = max(1, round(width * self.unit))
            cv2.polylines(relief, [curve], False, value, thickness, **_SMOOTH)
        relief = cv2.GaussianBlur(relief, (0, 0), 0.035 * self.unit)
        relief = cv2.merge([relief] * 3)
        cv2.multiply(self.image, relief, dst=self.image, scale=1 / 128)

    def _pixels(self, points: np.ndarray) -> list[np.ndarray]:
        x, y = points.real, points.imag
        # A turned head shifts what is nearer to the camera: the nose most, the
        # outline not at all.
        depth = np.sqrt(np.maximum(1 - x * x - 0.5 * y * y, 0))
        pixels = (points + self._yaw * depth) * self._turn + self._middle
        pixels = pixels.view(np.float64).astype(np.int32)
        return list(pixels.reshape(-1, points.shape[-1], 2))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return ``first`` with a share (0 to 1) of ``second``."""
    return tuple(a + share * (b - a) for a, b in zip(first, second, strict=True))


def ellipse(centre: complex, width: float, height: float) -> np.ndarray:
    """Return the points of an ellipse of half width and half height."""
    return centre + width * CIRCLE.real + 1j * height * CIRCLE.imag


def between(x: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Return the polygon between two curves over the same x."""
    return np.concatenate([x + 1j * upper, (x + 1j * lower)[::-1]])


def mirrored(points: np.ndarray) -> np.ndarray:
    """Return a shape of the right side and its mirror image on the left, (2, n)."""
    return np.stack([points, -points.conj()])
