"""Move faces in pictures onto the places where a network knows them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .faces import Detector, Face, choose
from .templates import Template

# What is said of a face, and of a picture without one or that cannot be read.
OK, TINY, PROFILE = 'ok', 'tiny', 'profile'
NO_FACE, UNREADABLE = 'no_face', 'unreadable'
TINY_EYES = 10  # pixels between the eyes below which a face is called tiny
# The picture in which the detector looks again: its side in pixels, and the part of it
# that the template's square takes.
AGAIN, INNER = 160, 0.6


@dataclass(frozen=True)
class AlignedFace:
    """A face, and the image of it that a network takes.

    Attributes:
        face: What the detector found, in pixels of the picture.
        image: The aligned face, uint8 (S, S, 3), BGR; without a detector the picture
            itself.
        matrix: Maps the picture's pixels to the image's, (2, 3).
        status: ``'ok'``; ``'tiny'`` if the eyes are less than 10 pixels apart;
            ``'profile'`` if the tip of the nose is not between the eyes. Then the
            points are guesses, and the image is the face's box, not rotated.
    """

    face: Face
    image: np.ndarray
    matrix: np.ndarray
    status: str


class FaceAligner:
    """Find the faces of a picture, and align them to a template.

    The five points of a face are moved onto the template by the similarity transform
    (shift, rotation, one scale) with the least squared distance. The detector then
    looks again on the aligned face, where it places the points better, as often as its
    ``passes`` say.

    Args:
        detector: Finds faces; :func:`~eac_mm.deploy.build_detector` gives one. None:
            the whole picture is a face that is aligned already.
        template: Where the network knows faces.
        size: Side of the aligned faces in pixels.
        faces: Which faces count: ``'all'``, ``'largest'`` or ``'central'``. Defaults
            to ``'all'``.

    Examples:
        >>> from eac_mm.deploy import FaceAligner, MTCNN, get_template
        >>> aligner = FaceAligner(MTCNN(), get_template('arcface'), size=112)
        >>> faces = aligner(picture)  # [] if there is none
    """

    def __init__(
        self,
        detector: Detector | None,
        template: Template,
        size: int,
        faces: str = 'all',
    ) -> None:
        choose((), faces, (0, 0))  # is the word known?
        self.detector, self.template = detector, template
        self.size, self.faces = size, faces

    def __call__(self, image: np.ndarray) -> list[AlignedFace]:
        """Find and align the faces of a picture, uint8 (H, W, 3) in BGR order."""
        if self.detector is None:
            return [self._whole(image)]
        faces = choose(self.detector(image), self.faces, image.shape)
        return [self._align(image, self._look_again(image, face)) for face in faces]

    def _look_again(self, image: np.ndarray, face: Face) -> Face:
        """Improve the points of a face."""
        margin = (1 - INNER) / 2
        target = AGAIN * (margin + INNER * self.template.points)
        for _ in range(self.detector.passes):
            matrix = similarity(face.points, target)
            found = self.detector(warp(image, matrix, AGAIN))
            if not found:
                break
            best = choose(found, 'central', (AGAIN, AGAIN))[0]
            back = cv2.invertAffineTransform(matrix)
            face = replace(face, points=best.points @ back[:, :2].T + back[:, 2])
        return face

    def _align(self, image: np.ndarray, face: Face) -> AlignedFace:
        matrix = similarity(face.points, self.size * self.template.points)
        status = TINY if face.eye_distance < TINY_EYES else OK
        left, right, nose = (face.points @ matrix[:, :2].T)[:3, 0]
        if not left <= nose <= right:
            status, matrix = PROFILE, box_matrix(face.box, self.size)
        aligned = self._colour(warp(image, matrix, self.size))
        return AlignedFace(face, aligned, matrix, status)

    def _whole(self, image: np.ndarray) -> AlignedFace:
        height, width = image.shape[:2]
        face = Face(
            np.array([0.0, 0.0, width, height]),
            1.0,
            self.template.points * [width, height],
        )
        scale = np.array([self.size / width, self.size / height])
        matrix = np.array([[scale[0], 0, 0], [0, scale[1], 0]])
        return AlignedFace(face, self._colour(image), matrix, OK)

    def _colour(self, image: np.ndarray) -> np.ndarray:
        """Take the colours away, if the network knows none."""
        if not self.template.grey:
            return image
        return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the similarity transform that brings points nearest to their targets.

    It shifts, rotates and scales, without mirroring, so that the sum of the squared
    distances is least. Written as a (2, 3) matrix [[a, -b, x], [b, a, y]].

    Args:
        points: (N, 2), two different points or more.
        target: (N, 2).

    Raises:
        ValueError: If all points are the same.
    """
    centre, aim = points.mean(0), target.mean(0)
    # As complex numbers, it is one factor: least squares have a closed form.
    z, w = ((p - c) @ [1, 1j] for p, c in ((points, centre), (target, aim)))
    spread = (np.abs(z) ** 2).sum()
    if spread == 0:
        raise ValueError('all points are the same: they fix no rotation and scale.')
    factor = (z.conj() * w).sum() / spread
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, aim - turn @ centre])


def box_matrix(box: Sequence[float], size: int) -> np.ndarray:
    """Return the matrix that maps a box, made square, to an image of a side."""
    left, top, right, bottom = box
    scale = size / max(right - left, bottom - top)
    x, y = size / 2 - scale * np.array([left + right, top + bottom]) / 2
    return np.array([[scale, 0, x], [0, scale, y]])


def warp(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Cut a square image out of a picture, by a matrix of pixels to pixels.

    What lies beyond the picture is black. A picture that is shrunk is averaged.

    Args:
        image: uint8 (H, W, 3).
        matrix: (2, 3), from pixel corners of the picture to those of the result: the
            middle of the first pixel is (0.5, 0.5).
        size: Side of the result.
    """
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    times = min(max(math.ceil(1 / scale), 1), 16)
    finer = matrix * times
    # OpenCV counts from the middles of pixels.
    finer[:, 2] += finer[:, :2] @ [0.5, 0.5] - 0.5
    large = cv2.warpAffine(image, finer, (size * times, size * times))
    return cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)
