"""Draw training images as the network gets them, after all augmentation."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor
from torch.utils.data import Dataset

from eac_mm.datasets.transforms import SeedAugmentation
from eac_mm.datasets.wrappers import transforms_of

from .style import new_figure, show_image


def draw_pairs(
    dataset: Dataset,
    indices: Sequence[int],
    epochs: Sequence[int] = (1, 2),
    seed: int = 0,
    bgr: bool = True,
) -> Figure:
    """Draw each view of training samples, as several epochs serve them.

    If the pipeline has a ``SeedAugmentation``, as our recipes do, these are the very
    images that a run of this seed trains on.

    Args:
        dataset: Training data set, with the pipeline of its recipe.
        indices: Which samples, a row each.
        epochs: From 1, a column for each view of each. Defaults to the first two.
        seed: Of the training. Defaults to 0.
        bgr: Whether the channels are blue, green, red, as images are loaded here.
            Defaults to True.
    """
    seeding = [(t, t.seed_epoch) for t in transforms_of(dataset, SeedAugmentation)]
    served = []
    for epoch in epochs:
        for transform, _ in seeding:
            transform.set_epoch(seed, epoch - 1)
        served.append([dataset[i] for i in indices])
    for transform, before in seeding:
        transform.set_epoch(*before)
    views = [[_views(item) for item in items] for items in served]
    count = len(views[0][0])
    figure = new_figure(1.7 * count * len(epochs), 0.4 + 1.9 * len(indices))
    panels = figure.subplots(len(indices), count * len(epochs), squeeze=False)
    for row, axes_row in enumerate(panels):
        images = [view for of_epoch in views for view in of_epoch[row]]
        for axes, image in zip(axes_row, images, strict=True):
            show_image(axes, image[..., ::-1] if bgr else image)
        axes_row[0].set_xlabel(_label(served[0][row], dataset), fontsize=8)
    for i, axes in enumerate(panels[0]):
        view = f', view {i % count + 1}' if count > 1 else ''
        axes.set_title(f'epoch {epochs[i // count]}{view}', fontsize=9)
    return figure


def _views(item: dict) -> list[np.ndarray]:
    """Return the views of a packed sample, (H, W, 3) each."""
    inputs = item['inputs']
    inputs = [inputs] if isinstance(inputs, Tensor) else inputs
    return [view.permute(1, 2, 0).numpy() for view in inputs]


def _label(item: dict, dataset: Dataset) -> str:
    """Return the label that the sample is trained on."""
    number = item['data_samples'].gt_label.item()
    return f'label: {dataset.metainfo["classes"][number]}'
