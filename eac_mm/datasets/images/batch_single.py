"""Erasing and flip on whole batches.

Each has the settings of a transform and draws from the same distribution, but takes
its random numbers from a table: one row of uniform numbers for each image.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import RandomFlip
from torch import Tensor

from ..transforms import Erasing


class BatchErasing:
    """:class:`Erasing` on a batch.

    Args:
        erasing: The transform with the settings.

    Attributes:
        numbers: How many uniform numbers an image takes.
    """

    numbers = Erasing.NUMBERS

    def __init__(self, erasing: Erasing) -> None:
        self.erasing = erasing

    def __call__(
        self, images: Tensor, numbers: np.ndarray, ori_shapes: np.ndarray
    ) -> Tensor:
        """Fill the rectangles, in place.

        Args:
            images: A batch, uint8 (n, C, H, W).
            numbers: Uniform numbers in [0, 1), (n, :attr:`numbers`).
            ori_shapes: Height and width of each image when it was read, (n, 2); not
                used here.
        """
        fill = self.erasing.fill_of(images.shape[1])
        fill = torch.from_numpy(np.rint(fill).astype(np.uint8))
        fill = fill.to(images.device, non_blocking=True).view(-1, 1, 1)
        erased, rectangles = self.erasing.rectangles(numbers, images.shape[2:])
        for row in np.flatnonzero(erased):
            top, left, h, w = rectangles[row].tolist()
            images[row, :, top : top + h, left : left + w] = fill
        return images


class BatchFlip:
    """MMCV's ``RandomFlip``, horizontal, on a batch."""

    numbers = 1

    def __init__(self, flip: RandomFlip) -> None:
        self.prob = flip.prob

    def __call__(
        self, images: Tensor, numbers: np.ndarray, ori_shapes: np.ndarray
    ) -> Tensor:
        """Flip, in place; see :class:`BatchErasing`."""
        for row in np.flatnonzero(numbers[:, 0] < self.prob):
            images[row] = images[row].flip(-1)
        return images


def columns_of(
    parts: Sequence, numbers: np.ndarray
) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield each part with its columns of the table."""
    start = 0
    for part in parts:
        yield part, numbers[:, start : start + part.numbers]
        start += part.numbers
