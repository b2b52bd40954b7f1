import numpy as np
import pytest

from eac_mm.deploy import Face, choose


def face(left, top, right, bottom, points=((0, 0),) * 5):
    box = np.array([left, top, right, bottom], float)
    return Face(box, 1.0, np.array(points, float))


SMALL, LARGE = face(40, 40, 60, 60), face(0, 0, 30, 30)


def test_geometry():
    points = [(10, 10), (13, 14), (11, 14), (8, 15), (11, 19)]
    one = face(0, 10, 20, 40, points)
    assert one.eye_distance == 5
    assert one.roll == pytest.approx(53.1301, abs=1e-4)  # the 3-4-5 triangle
    assert one.centre.tolist() == [10, 25]
    assert one.area == 600


@pytest.mark.parametrize(
    ('which', 'expected'),
    [('all', [LARGE, SMALL]), ('largest', [LARGE]), ('central', [SMALL])],
)
def test_choose(which, expected):
    assert choose([LARGE, SMALL], which, (100, 100)) == expected
    assert choose([], which, (100, 100)) == []


def test_an_unknown_choice():
    with pytest.raises(ValueError, match=r"faces='best'.*Fix: choose one of"):
        choose([], 'best', (1, 1))
