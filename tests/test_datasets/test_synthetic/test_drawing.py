import numpy as np
import pytest

from eac_mm.datasets.synthetic import drawing
from eac_mm.datasets.synthetic.faces import render_face
from eac_mm.datasets.synthetic.parameters import Controls, Person, Photo
from eac_mm.datasets.synthetic.pen import Pen

PLAIN = Person(
    skin=(140, 172, 220),
    hair=(25, 24, 28),
    iris=(150, 110, 70),
    clothes=(90, 90, 90),
)


def render(size=128, **controls):
    """Draw the plain person, facing the camera in even light."""
    return render_face(Controls(**controls), PLAIN, Photo(), size, None).astype(int)


def row(image, y):
    """Return the image row of a height in half face widths."""
    return round(len(image) * (0.5 + Photo().scale * y))


def darkest_row(image, x, top, bottom):
    """Return the height of the darkest pixel of a column, between two heights."""
    column = image[row(image, top) : row(image, bottom), row(image, x)].sum(axis=1)
    return row(image, top) + column.argmin()


def test_lip_corners_go_up_and_down():
    heights = {}
    for corners in (-1, 0, 1):
        image = render(corners=corners)
        side, middle = (darkest_row(image, x, 0.5, 0.98) for x in (0.29, 0))
        heights[corners] = middle - side
    assert abs(heights[0]) <= 1
    assert heights[1] >= 3  # the corners are above the middle
    assert heights[-1] <= -3


def test_jaw_opens_the_mouth():
    areas = []
    for jaw in (0, 0.6, 0.8, 1):
        image = render(jaw=jaw)
        mouth = image[row(image, 0.5) : row(image, 1.2)]
        areas.append((np.abs(mouth - (32, 24, 66)).sum(axis=2) < 30).sum())
    assert areas[0] == 0
    assert 0 < areas[1] < areas[2] < areas[3]


def test_lids_bare_and_cover_the_eye():
    whites = []
    for lids in (-0.9, 0, 0.9):
        image = render(lids=lids)
        eyes = image[row(image, -0.4) : row(image, 0.1)]
        whites.append((eyes.min(axis=2) > 205).sum())
    assert whites[0] < whites[1] < whites[2]


@pytest.mark.parametrize(
    ('control', 'inner', 'outer'),
    [('inner_brow', 5, 0), ('outer_brow', 0, 4), ('brow_lower', -4, -1)],
)
def test_brow_moves_where_its_control_says(control, inner, outer):
    for x, expected in ((0.27, inner), (0.6, outer)):
        rest, moved = (
            darkest_row(image, x, -0.75, -0.32)
            for image in (render(), render(**{control: 0.9}))
        )
        assert rest - moved == pytest.approx(expected, abs=2)


def test_outline_reaches_cheeks_crown_and_chin():
    face = drawing.outline(PLAIN, Controls())
    assert face.real.max() == pytest.approx(1)
    assert face.real.min() == pytest.approx(-1)
    assert face.imag.min() == pytest.approx(-PLAIN.forehead)
    assert face.imag.max() == pytest.approx(PLAIN.chin)
    # A dropped jaw lowers the chin by 0.16 half face widths.
    open_mouth = drawing.outline(PLAIN, Controls(jaw=1))
    assert open_mouth.imag.max() == pytest.approx(PLAIN.chin + 0.16)


def drawn_by(function, *arguments):
    """Return which pixels a function changes on a blank image of 200."""
    pen = Pen(Photo(), 200)
    before = pen.image.copy()
    function(pen, *arguments)
    return (pen.image != before).any(axis=2)


def test_nothing_is_drawn_for_what_a_person_lacks():
    bald = Person(PLAIN.skin, PLAIN.hair, PLAIN.iris, PLAIN.clothes, style='bald')
    assert not drawn_by(drawing.draw_hair, bald).any()
    assert not drawn_by(drawing.draw_glasses, bald).any()
    face = drawing.outline(bald, Controls())
    assert not drawn_by(drawing.draw_beard, bald, face).any()


@pytest.mark.parametrize('style', drawing.HAIRLINES)
def test_hair_is_above_the_eyes_in_the_middle(style):
    person = Person(PLAIN.skin, PLAIN.hair, PLAIN.iris, PLAIN.clothes, style=style)
    changed = drawn_by(drawing.draw_hair, person)
    middle = np.flatnonzero(changed[:, 100])
    assert middle.size
    assert middle.max() < 200 * (0.5 + Photo().scale * drawing.EYE_LEVEL)


@pytest.mark.parametrize('beard', ['moustache', 'stubble', 'full'])
def test_beard_is_below_the_eyes(beard):
    person = Person(PLAIN.skin, PLAIN.hair, PLAIN.iris, PLAIN.clothes, beard=beard)
    face = drawing.outline(person, Controls())
    rows = np.flatnonzero(drawn_by(drawing.draw_beard, person, face).any(axis=1))
    assert rows.min() > 200 * (0.5 + Photo().scale * drawing.EYE_LEVEL)
    chin = 200 * (0.5 + Photo().scale * person.chin)
    if beard == 'moustache':
        assert rows.max() < 200 * (0.5 + Photo().scale * person.mouth_height)
    else:
        assert rows.max() == pytest.approx(chin, abs=2)


def test_glasses_frame_the_eyes():
    person = Person(
        PLAIN.skin, PLAIN.hair, PLAIN.iris, PLAIN.clothes, glasses=(0, 0, 0)
    )
    changed = drawn_by(drawing.draw_glasses, person)
    unit = 200 * Photo().scale
    y = round(100 + unit * (drawing.EYE_LEVEL + 0.03))
    for side in (-1, 1):
        middle = 100 + side * unit * person.eye_distance
        assert not changed[y, round(middle)]  # a lens is clear
        edge = middle + side * unit * person.glasses_size
        assert changed[y, round(edge) - 2 : round(edge) + 2].any()
