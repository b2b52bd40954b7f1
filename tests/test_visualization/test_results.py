import io

import cv2
import numpy as np

from eac_mm.evaluation.calibration import reliability
from eac_mm.visualization.results import draw_confusion, draw_reliability


def pixels(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=60)
    return cv2.imdecode(np.frombuffer(buffer.getvalue(), np.uint8), 1)


def test_confusion():
    figure = draw_confusion(np.array([[3, 1], [0, 0]]), ('sad', 'happy'))
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == [
        *('75\n(3)', '25\n(1)', '0\n(0)', '0\n(0)')
    ]
    assert axes.images[0].get_array().tolist() == [[0.75, 0.25], [0, 0]]
    assert axes.get_ylabel() == 'label'
    assert pixels(figure).std() > 0


def test_reliability():
    confidence = np.array([0.9, 0.8, 0.6, 0.7])
    scores = np.stack([confidence, 1 - confidence], 1)
    found = reliability(scores, np.array([0, 0, 1, 0]), bins=5)
    figure = draw_reliability(found, found)
    line = figure.axes[0].lines[1]
    x, y = line.get_data()
    there = ~np.isnan(x)
    assert x[there].tolist() == [0.6, 0.75, 0.9]
    assert y[there].tolist() == [0, 1, 1]
    assert figure.axes[0].get_title() == 'as trained: error 30.0 %'
    assert pixels(figure).std() > 0
