"""Attention over images, against pixels by hand."""

import numpy as np
import pytest

from eac_mm.visualization import AttentionRow, Look, draw_attention, overlay

IMAGE = np.full((4, 4, 3), 100, np.uint8)
# Matplotlib's published table of inferno: first and last colour, times 255.
DARK, BRIGHT = (0.37, 0.12, 3.54), (252.03, 254.58, 164.46)


@pytest.mark.parametrize('share', [0, 0.5, 1])
def test_overlay_by_hand(share):
    attention = np.repeat([[-3.0, -3.0, 5.0, 5.0]], 4, axis=0)
    drawn = overlay(IMAGE, attention, share)
    for columns, heat in ((slice(0, 2), DARK), (slice(2, 4), BRIGHT)):
        wanted = np.round((1 - share) * 100 + share * np.array(heat))
        assert (drawn[:, columns] == wanted).all()


def test_a_flat_map_is_dark_everywhere():
    assert (overlay(IMAGE, np.full((2, 2), 7.0), 1) == np.round(DARK)).all()


def test_the_map_is_enlarged():
    drawn = overlay(IMAGE, np.array([[0.0, 1.0]]), 1)[0, :, 0].astype(int)
    assert (np.diff(drawn) >= 0).all()
    assert (drawn[0], drawn[-1]) == (0, 252)


def test_the_figure():
    image = IMAGE.copy()
    image[:, 0] = 0
    left = np.array([[1.0, 0.0]])
    look = Look(left, left[:, ::-1], ('sad', 0.75), ('happy', 0.5))
    rows = [
        AttentionRow(image, 'sad', 'happy', dict(EAC=look, baseline=look)),
        AttentionRow(image, 'sad', 'sad', dict(EAC=look, baseline=look)),
    ]
    figure = draw_attention(rows)
    assert len(figure.axes) == 2 * 5
    titles = [axes.get_title() for axes in figure.axes[:5]]
    names = ['EAC', 'EAC, flipped', 'baseline', 'baseline, flipped']
    assert titles == ['image', *names]
    below = [axes.get_xlabel() for axes in figure.axes]
    assert below[:3] == ['noisy: sad\nclean: happy', 'sad 75 %', 'happy 50 %']
    assert below[5] == 'label: sad'
    shown = [axes.images[0].get_array() for axes in figure.axes[:3]]
    assert (shown[0] == image).all()
    assert (shown[1] == overlay(image, left)).all()
    # The flipped copy with the flipped map is the mirror image of the other.
    assert (shown[2] == shown[1][:, ::-1]).all()
