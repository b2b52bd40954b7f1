import numpy as np
import pytest

from eac_mm.datasets.noise.drawing import draw_noise
from eac_mm.datasets.noise.model import KINDS, draw_labels, transition_matrix

CLASSES = ('a', 'b', 'c')
CLEAN = np.repeat(np.arange(3), 50)


def test_kinds_that_need_no_more_than_labels():
    matrix = transition_matrix('symmetric', 0.4, CLASSES)
    drawn = draw_noise(None, CLEAN, CLASSES, 'symmetric', 0.4, 5)
    np.testing.assert_array_equal(drawn, draw_labels(CLEAN, matrix, 5))
    # All of b become c.
    matrix = [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    drawn = draw_noise(None, CLEAN, CLASSES, 'asymmetric', 0, 5, matrix)
    np.testing.assert_array_equal(drawn, [0] * 50 + [2] * 100)


def test_no_kind_changes_the_clean_labels_in_place():
    clean = CLEAN.copy()
    drawn = draw_noise(None, clean, CLASSES, 'instance', 0, 0)
    drawn[:] = 1
    np.testing.assert_array_equal(clean, CLEAN)


def test_an_unknown_kind():
    with pytest.raises(ValueError, match=f"'salt' is unknown. Fix: .*{KINDS[-1]}"):
        draw_noise(None, CLEAN, CLASSES, 'salt', 0.1, 0)
