"""Pictures with faces, for the tests of what finds faces."""

import functools

import cv2
import matplotlib.cbook
import numpy as np
from skimage import data

from eac_mm.datasets.synthetic.faces import draw_face

SIDE = 160  # of a synthetic face in a scene


@functools.cache
def astronaut():
    """A portrait in colour, 512 x 512, BGR."""
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


@functools.cache
def grace_hopper():
    """A portrait in colour, 512 x 600, BGR."""
    path = matplotlib.cbook.get_sample_data('grace_hopper.jpg', asfileobj=False)
    return cv2.imread(str(path))


@functools.cache
def coffee():
    """A picture without a face, BGR."""
    return np.ascontiguousarray(data.coffee()[:, :, ::-1])


def rotate(image, degrees):
    """Rotate a picture clockwise around its centre; its size stays."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    return cv2.warpAffine(
        image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
    )


def scene(degrees, seed):
    """Paste synthetic faces into a picture, each rotated by an angle.

    Args:
        degrees: Angle of each face.
        seed: Number of the first face; the others count on.

    Returns:
        The picture, and the centre of each face.
    """
    canvas = np.full((SIDE + 40, 40 + (SIDE + 40) * len(degrees), 3), 110, np.uint8)
    noise = np.random.default_rng(seed).normal(0, 4, canvas.shape)
    canvas = (canvas + noise).clip(0, 255).astype(np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    mask = np.clip((SIDE / 2 - np.hypot(x, y)) / 8, 0, 1)[:, :, None]
    centres = []
    for i, angle in enumerate(degrees):
        face = rotate(draw_face((seed + i) % 7, 3, seed + i, SIDE), angle)
        left = 40 + i * (SIDE + 40)
        part = canvas[20 : 20 + SIDE, left : left + SIDE]
        part[:] = mask * face + (1 - mask) * part
        centres.append((left + SIDE / 2, 20 + SIDE / 2))
    return canvas, np.array(centres)
