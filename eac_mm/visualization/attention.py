"""Draw attention maps of images and their flipped copies (Figures 1 and 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from .looks import Look
from .style import new_figure, show_image

# Its brightness rises evenly, so it can be read without colours.
HEAT = colormaps['inferno']


@dataclass(frozen=True)
class AttentionRow:
    """One image of the figure.

    Attributes:
        image: RGB, uint8 (H, W, 3).
        noisy_label: Name of the class, or None if it has no label.
        clean_label: Likewise.
        looks: By the name of the network.
    """

    image: np.ndarray
    noisy_label: str | None
    clean_label: str | None
    looks: Mapping[str, Look]


def overlay(image: np.ndarray, attention: np.ndarray, share: float = 0.5) -> np.ndarray:
    """Lay an attention map over an image.

    The map is enlarged to the image, and its smallest value becomes 0, its largest 1.

    Args:
        image: RGB, uint8 (H, W, 3).
        attention: (H', W').
        share: Of the map in the mix, 0 to 1. Defaults to 0.5.

    Returns:
        RGB, uint8 (H, W, 3).
    """
    attention = np.asarray(attention, dtype=np.float32)
    attention = attention - attention.min()
    attention = attention / max(attention.max(), 1e-12)
    large = cv2.resize(attention, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    heat = HEAT(large)[..., :3] * 255
    return np.round((1 - share) * image + share * heat).astype(np.uint8)


def draw_attention(rows: Sequence[AttentionRow]) -> Figure:
    """Draw images with the attention of one or several networks.

    A row for each image: the image, then for each network the image and its flipped
    copy under the map of the class that the network predicts there. A network that
    learned from the whole face looks at the same parts of both.

    Args:
        rows: At least one; all have looks of the same networks.
    """
    names = list(rows[0].looks)
    columns = 1 + 2 * len(names)
    figure = new_figure(1.7 * columns, 0.4 + 2.05 * len(rows))
    panels = figure.subplots(len(rows), columns, squeeze=False)
    for axes_row, row in zip(panels, rows, strict=True):
        show_image(axes_row[0], row.image)
        axes_row[0].set_xlabel(_labels(row), fontsize=8)
        flipped = np.ascontiguousarray(row.image[:, ::-1])
        for i, name in enumerate(names):
            look = row.looks[name]
            pairs = (
                (row.image, look.attention, look.prediction),
                (flipped, look.flipped_attention, look.flipped_prediction),
            )
            for axes, (image, attention, (label, probability)) in zip(
                axes_row[1 + 2 * i : 3 + 2 * i], pairs, strict=True
            ):
                show_image(axes, overlay(image, attention))
                axes.set_xlabel(f'{label} {100 * probability:.0f} %', fontsize=8)
    panels[0][0].set_title('image', fontsize=9)
    for i, name in enumerate(names):
        panels[0][1 + 2 * i].set_title(name, fontsize=9)
        panels[0][2 + 2 * i].set_title(f'{name}, flipped', fontsize=9)
    return figure


def _labels(row: AttentionRow) -> str:
    if row.noisy_label == row.clean_label:
        return '' if row.clean_label is None else f'label: {row.clean_label}'
    parts = (('noisy', row.noisy_label), ('clean', row.clean_label))
    return '\n'.join(f'{kind}: {label}' for kind, label in parts if label is not None)
