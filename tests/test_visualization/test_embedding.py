"""Features in the plane."""

import numpy as np
import pytest

from eac_mm.visualization import draw_embedding, embed
from eac_mm.visualization.style import colour_of


def test_clusters_stay_clusters():
    draws = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 10)
    features = np.eye(3)[labels] * 20 + draws.normal(size=(30, 3))
    places = embed(features, seed=1)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(1)] == labels).all()
    assert (embed(features, seed=1) == places).all()


def test_too_few():
    with pytest.raises(ValueError, match='4 images are too few.*Fix: give 5'):
        embed(np.zeros((4, 2)))


def test_each_sample_is_drawn_in_its_colour():
    places = np.arange(12.0).reshape(6, 2)
    clean, noisy = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 1, 0])
    figure = draw_embedding(places, noisy, clean, ['sad', 'happy'])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ['by noisy label (trained on)', 'by clean label']
    for axes, labels in zip(figure.axes, (noisy, clean), strict=True):
        for i, drawn in enumerate(axes.collections):
            kind, rim = divmod(i, 2)
            chosen = (labels == kind) & ((noisy != clean) == bool(rim))
            assert drawn.get_offsets().tolist() == places[chosen].tolist()
            colour = tuple(int(colour_of(kind)[0][j : j + 2], 16) for j in (1, 3, 5))
            shown = np.round(drawn.get_facecolor()[0, :3] * 255)
            assert tuple(shown) == colour
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ['sad', 'happy', 'wrong label']


def test_without_clean_labels():
    figure = draw_embedding(np.zeros((5, 2)), np.zeros(5, int), None, ['sad'])
    assert len(figure.axes) == 1
