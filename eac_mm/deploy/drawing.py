"""Draw what was predicted into pictures."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmpretrain.structures import DataSample

FONT = cv2.FONT_HERSHEY_SIMPLEX
# Of the status, BGR: sure, uncertain or not quite a frontal face.
GOOD, DOUBTFUL = (60, 170, 60), (40, 150, 230)
WHITE, RED = (255, 255, 255), (0, 0, 255)
STRENGTH = 0.6  # of the red where the map is highest


def annotate(image: np.ndarray, samples: Sequence[DataSample]) -> np.ndarray:
    """Draw boxes, points, expressions and attention maps of faces.

    Args:
        image: The picture, uint8 (H, W, 3) in BGR order; it is left as it is.
        samples: Of :class:`~eac_mm.apis.ExpressionPredictor`, for this picture.

    Returns:
        A picture of the same size.
    """
    drawn = image.copy()
    faces = [sample for sample in samples if 'box' in sample]
    for sample in faces:
        if 'attention' in sample:
            _draw_attention(drawn, sample)
    for sample in faces:
        _draw_face(drawn, sample)
    return drawn


def _draw_face(drawn: np.ndarray, sample: DataSample) -> None:
    size = min(drawn.shape[:2])
    width = max(1, round(size / 300))
    probability = float(sample.pred_score.max())
    sure = sample.status == 'ok' and sample.expression != 'uncertain'
    colour = GOOD if sure else DOUBTFUL
    left, top, right, bottom = (int(side) for side in np.round(sample.box))
    cv2.rectangle(drawn, (left, top), (right, bottom), colour, width)
    for x, y in np.round(sample.points).astype(int).tolist():
        cv2.circle(drawn, (x, y), width + 1, colour, -1, cv2.LINE_AA)
    text = f'{sample.expression} {probability:.0%}'
    text += '' if sample.status == 'ok' else f' ({sample.status})'
    scale = max(0.4, size / 900)
    (wide, high), below = cv2.getTextSize(text, FONT, scale, width)
    x = min(max(left, 0), max(drawn.shape[1] - wide, 0))
    y = max(top - width, high + below)  # inside the picture
    cv2.rectangle(drawn, (x, y - high - below), (x + wide, y + below // 2), colour, -1)
    place = (x, y - below // 2)
    cv2.putText(drawn, text, place, FONT, scale, WHITE, width, cv2.LINE_AA)


def _draw_attention(drawn: np.ndarray, sample: DataSample) -> None:
    """Lay the map over the face: what speaks most for the class is red."""
    values = sample.attention.numpy()
    values = values - values.min()
    if values.max() == 0:
        return
    height, width = drawn.shape[:2]
    matrix, side = sample.matrix, sample.aligned_size
    # From cells of the map to pixels of the aligned face, and on to the picture's.
    cells = np.diag([side / values.shape[1], side / values.shape[0], 1.0])
    cells[:2, 2] = cells[[0, 1], [0, 1]] / 2
    back = np.vstack([cv2.invertAffineTransform(matrix), [0, 0, 1]]) @ cells
    shares = np.float32(values / values.max())
    flags = cv2.INTER_CUBIC
    heat = cv2.warpAffine(shares, back[:2], (width, height), flags=flags)
    strength = STRENGTH * heat.clip(0, 1)[:, :, None]
    drawn[:] = (drawn * (1 - strength) + np.array(RED) * strength).astype('u1')
