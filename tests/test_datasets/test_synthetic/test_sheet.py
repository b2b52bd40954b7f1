import numpy as np

from eac_mm.datasets.faces.expressions import EXPRESSIONS
from eac_mm.datasets.synthetic.faces import draw_face
from eac_mm.datasets.synthetic.sheet import MARGIN, draw_sheet


def test_a_row_for_each_class_and_a_column_for_each_person():
    sheet = draw_sheet(range(4, 6), img_size=32, seed=1)
    names = list(EXPRESSIONS)
    assert sheet.shape == (32 * len(names), MARGIN + 2 * 32, 3)
    face = sheet[32:64, MARGIN + 32 :]  # the second class, the second person
    np.testing.assert_array_equal(face, draw_face(names[1], 1, 5, 32))
    for row in range(len(names)):  # each name is written in its margin
        assert (sheet[32 * row : 32 * row + 32, :MARGIN] < 255).any()
