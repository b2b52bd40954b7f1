import numpy as np
import pytest

from eac_mm.datasets.synthetic.parameters import Photo
from eac_mm.datasets.synthetic.pen import CIRCLE, Pen, between, ellipse, mirrored, mix

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def pen(width=100, **photo):
    """A pen on black, at 20 pixels per half face width if the width is 100."""
    photo = {'scale': 0.2, 'background': (BLACK, BLACK), **photo}
    return Pen(Photo(**photo), width)


def covered(one):
    """Return how many pixels are covered, edges by their share."""
    return one.image[..., 0].sum() / 255


def middle(one):
    """Return the centre of what is covered, (x, y) in pixels from the corner."""
    share = one.image[..., 0] / 255
    y, x = np.indices(share.shape) + 0.5
    return (share * x).sum() / share.sum(), (share * y).sum() / share.sum()


SQUARE = np.array([-1 - 1j, 1 - 1j, 1 + 1j, -1 + 1j])


def test_a_square_covers_its_area():
    one = pen()
    one.fill(SQUARE, WHITE)
    # 40 pixels a side; OpenCV covers the pixels of the edge too.
    assert 40**2 <= covered(one) <= 42**2
    assert middle(one) == pytest.approx((50, 50), abs=0.5)
    assert one.image[31:69, 31:69].min() == 255
    assert one.image[:28].max() == 0


def test_a_line_covers_length_times_width():
    one = pen()
    one.line(np.array([-1 + 0j, 1 + 0j]), WHITE, 0.3)
    # 40 by 6 pixels with round ends; OpenCV covers the pixels of the edge too.
    share = one.image[..., 0] / 255
    assert 6 <= share[:, 50].sum() <= 8
    assert 46 <= share[50].sum() <= 48
    assert covered(one) <= 48 * 8
    assert middle(one) == pytest.approx((50, 50), abs=0.6)


def test_a_closed_line_is_longer():
    lengths = []
    for closed in (False, True):
        one = pen()
        one.line(SQUARE, WHITE, 0.05, closed)
        lengths.append(covered(one))
    assert lengths[1] / lengths[0] == pytest.approx(4 / 3, rel=0.05)


def test_a_thin_line_is_a_pixel_wide():
    one = pen()
    one.line(np.array([-1 + 0j, 1 + 0j]), WHITE, 0.001)
    assert 38 <= covered(one) <= 60


@pytest.mark.parametrize(
    ('photo', 'expected'),
    [
        ({'shift': (0.1, -0.2)}, (60, 30)),
        ({'roll': np.pi / 2}, (50, 50 + 20)),  # from the right to below
        ({'scale': 0.1}, (60, 50)),
    ],
)
def test_pose_moves_a_point_to_the_right_of_the_middle(photo, expected):
    one = pen(**photo)
    start = 1 + 0j if 'shift' not in photo else 0j
    one.fill(ellipse(start, 0.1, 0.1), WHITE)
    assert middle(one) == pytest.approx(expected, abs=0.3)


def test_a_turned_head_moves_the_nose_and_not_the_outline():
    found = []
    for point in (0j, 1 + 0j):
        one = pen(yaw=0.3)
        one.fill(ellipse(point, 0.02, 0.02), WHITE)
        found.append(middle(one)[0])
    assert found[0] == pytest.approx(50 + 0.3 * 20, abs=0.5)  # the depth is 1
    assert found[1] == pytest.approx(50 + 20, abs=1.5)  # the depth is 0


def test_background_goes_from_top_to_bottom():
    image = pen(4, background=((0, 0, 0), (200, 100, 300))).image
    assert image[0, 0].tolist() == [0, 0, 0]
    assert image[-1, 0].tolist() == [200, 100, 255]
    assert (np.diff(image[:, 0, 0].astype(int)) >= 0).all()
    assert (image == image[:, :1]).all()


def test_shade_darkens_and_lightens_along_a_stroke():
    grey = ((100,) * 3, (100,) * 3)
    one = pen(background=grey)
    one.shade([(-1 - 1j, -1j, 1 - 1j, 0.4, -0.5), (-1 + 1j, 1j, 1 + 1j, 0.4, 0.5)])
    assert one.image[30, 50].tolist() == pytest.approx([50] * 3, abs=2)
    assert one.image[70, 50].tolist() == pytest.approx([150] * 3, abs=2)
    assert one.image[50, 50].tolist() == [100] * 3


def test_mix():
    assert mix((0, 10, 20), (100, 10, 0), 0.25) == (25, 10, 15)
    assert mix((1, 2, 3), (4, 5, 6), 0) == (1, 2, 3)


def test_ellipse():
    points = ellipse(1 + 2j, 3, 4)
    assert len(points) == len(CIRCLE) == 32
    assert (points.real.min(), points.real.max()) == pytest.approx((-2, 4))
    assert (points.imag.min(), points.imag.max()) == pytest.approx((-2, 6))


def test_between_goes_there_above_and_back_below():
    x = np.array([0.0, 1.0])
    found = between(x, np.array([2.0, 3.0]), np.array([4.0, 5.0]))
    assert found.tolist() == [0 + 2j, 1 + 3j, 1 + 5j, 0 + 4j]


def test_mirrored():
    assert mirrored(np.array([1 + 2j])).tolist() == [[1 + 2j], [-1 + 2j]]
