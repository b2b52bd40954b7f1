"""The one style of all figures: readable on white and for the colour-blind."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's colours: https://jfly.uni-koeln.de/color/. Their black, which rims
# need, is grey here; their yellow, which white swallows, comes last.
COLOURS = (
    '#0072B2',
    '#D55E00',
    '#009E73',
    '#CC79A7',
    '#E69F00',
    '#56B4E9',
    '#666666',
    '#F0E442',
)
MARKERS = 'osD^vP*X'
DPI = 150


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure that is drawn without a display.

    Args:
        width: In inches, of :data:`DPI` pixels.
        height: Likewise.
    """
    figure = Figure((width, height), layout='constrained')
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes) -> None:
    """Leave grid and two spines to a plot."""
    axes.grid(color='0.9', lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)


def show_image(axes: Axes, image: np.ndarray) -> None:
    """Show an RGB image (H, W, 3), uint8, without axes."""
    axes.imshow(image, interpolation='nearest')
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def colour_of(index: int) -> tuple[str, str]:
    """Return colour and marker of a class or method; together they are 64."""
    return COLOURS[index % len(COLOURS)], MARKERS[index // len(COLOURS) % len(MARKERS)]


def save(figure: Figure, path: str | Path) -> list[Path]:
    """Write a figure as PNG and SVG; equal figures give equal bytes.

    Args:
        figure: To write.
        path: File name; ``.png`` and ``.svg`` take the place of its suffix.

    Returns:
        The two files.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    png, svg = path.with_suffix('.png'), path.with_suffix('.svg')
    figure.savefig(png, dpi=DPI, metadata={'Software': None})
    # Names inside an SVG are random otherwise; its text stays text.
    with matplotlib.rc_context({'svg.hashsalt': 'eac_mm', 'svg.fonttype': 'none'}):
        figure.savefig(svg, dpi=DPI, metadata={'Date': None, 'Creator': None})
    return [png, svg]


def as_image(figure: Figure) -> np.ndarray:
    """Return a figure as an RGB image, uint8 (H, W, 3)."""
    figure.set_dpi(DPI)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
