"""Figures: one style, equal bytes."""

from PIL import Image

from eac_mm.visualization.style import COLOURS, DPI, colour_of, new_figure, save


def test_equal_figures_give_equal_files(tmp_path):
    for folder in 'ab':
        figure = new_figure(2, 1)
        figure.subplots().plot([1, 2], label='a line')
        png, svg = save(figure, tmp_path / folder / 'figure.any')
        assert (png.suffix, svg.suffix) == ('.png', '.svg')
        assert Image.open(png).size == (2 * DPI, DPI)
        assert '<text' in svg.read_text(encoding='utf-8')
    for name in ('figure.png', 'figure.svg'):
        first, second = ((tmp_path / folder / name).read_bytes() for folder in 'ab')
        assert first == second


def test_classes_look_different():
    looks = [colour_of(i) for i in range(64)]
    assert len(set(looks)) == 64
    assert [colour for colour, _ in looks[:8]] == list(COLOURS)
