"""Erasing and flip on whole batches, as their transforms set them.

Each has the settings of a transform and draws from the same distribution, but
from a table: row i of uniform numbers belongs to sample i.
"""

from collections.abc import Sequence

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
        numbers: How many uniform numbers a sample takes.
    """

    TRIES = Erasing.TRIES
    numbers = 3 + 2 * TRIES

    def __init__(self, erasing: Erasing) -> None:
        self.erasing = erasing

    def settle(self, numbers: np.ndarray, size: tuple[int, int]) -> None:
        """Turn numbers into what to do with each sample of an epoch.

        Args:
            numbers: Uniform numbers in [0, 1), (N, :attr:`numbers`).
            size: Height and width of the images.
        """
        height, width = size
        areas = numbers[:, 1 : 1 + self.TRIES]
        aspects = numbers[:, 1 + self.TRIES : 1 + 2 * self.TRIES]
        low, high = self.erasing.area
        areas = height * width * (low + (high - low) * areas)
        low, high = np.log(self.erasing.aspect)
        aspects = np.exp(low + (high - low) * aspects)
        heights = np.rint(np.sqrt(areas * aspects)).astype(int)
        widths = np.rint(np.sqrt(areas / aspects)).astype(int)
        fits = (heights < height) & (widths < width)
        samples, tries = np.arange(len(fits)), fits.argmax(1)
        h, w = heights[samples, tries], widths[samples, tries]
        top = (numbers[:, -2] * (height - h + 1)).astype(int)
        left = (numbers[:, -1] * (width - w + 1)).astype(int)
        self.erased = fits.any(1) & (numbers[:, 0] < self.erasing.prob)
        self.rectangles = np.stack([top, left, h, w], 1)

    def __call__(self, images: Tensor, samples: np.ndarray, bgr: bool) -> Tensor:
        """Fill the rectangles, in place.

        Args:
            images: A batch, uint8 (n, C, H, W).
            samples: Its indices in the data set, (n,).
            bgr: Whether the channels are in the order of the transform's fill,
                rather than reversed.
        """
        fill = np.asarray(self.erasing.fill)
        if images.shape[1] != len(fill):
            fill = np.full(images.shape[1], fill.mean())
        fill = torch.from_numpy(np.rint(fill if bgr else fill[::-1]).astype(np.uint8))
        fill = fill.to(images.device, non_blocking=True).view(-1, 1, 1)
        for row in np.flatnonzero(self.erased[samples]):
            top, left, h, w = self.rectangles[samples[row]].tolist()
            images[row, :, top : top + h, left : left + w] = fill
        return images


class BatchFlip:
    """MMCV's ``RandomFlip``, horizontal, on a batch."""

    numbers = 1

    def __init__(self, flip: RandomFlip) -> None:
        self.prob = flip.prob

    def settle(self, numbers: np.ndarray, size: tuple[int, int]) -> None:
        """See :meth:`BatchErasing.settle`."""
        self.flipped = numbers[:, 0] < self.prob

    def __call__(self, images: Tensor, samples: np.ndarray, bgr: bool) -> Tensor:
        """Flip, in place; see :class:`BatchErasing`."""
        for row in np.flatnonzero(self.flipped[samples]):
            images[row] = images[row].flip(-1)
        return images


def settle_all(parts: Sequence, numbers: np.ndarray, size: tuple[int, int]) -> None:
    """Give each part its columns of the table; see :meth:`BatchErasing.settle`."""
    ends = np.cumsum([part.numbers for part in parts])
    for part, columns in zip(parts, np.split(numbers, ends, 1), strict=False):
        part.settle(columns, size)
