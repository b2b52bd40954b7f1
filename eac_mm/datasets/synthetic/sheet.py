"""Draw a sheet of synthetic faces to look at."""

import cv2
import numpy as np

from ..faces.expressions import EXPRESSIONS
from .faces import draw_face

MARGIN = 84  # pixels for the names


def draw_sheet(people: range, img_size: int, seed: int) -> np.ndarray:
    """Draw every expression of several people.

    Args:
        people: Indices of the faces.
        img_size: Width of a face in pixels.
        seed: Which series of faces.

    Returns:
        The sheet in BGR order, uint8 (H, W, 3): a row for each class with its name
        on the left, a column for each person.
    """
    rows = []
    for name in EXPRESSIONS:
        label = np.full((img_size, MARGIN, 3), 255, np.uint8)
        origin = (6, img_size // 2 + 5)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(label, name, origin, font, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
        faces = [draw_face(name, seed, index, img_size) for index in people]
        rows.append(np.hstack([label, *faces]))
    return np.vstack(rows)
