"""The noise and the two views of EAC on whole batches; see ``batch_single``."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..transforms import ErasingFlipPair
from .batch_single import BatchErasing, columns_of


class BatchNoise:
    """The Gaussian noise of :class:`ErasingFlipPair` on a batch.

    Args:
        pair: The transform with the settings.
    """

    numbers = 2

    def __init__(self, pair: ErasingFlipPair) -> None:
        self.pair = pair

    def __call__(
        self, images: Tensor, numbers: np.ndarray, ori_shapes: np.ndarray
    ) -> Tensor:
        """Add noise, drawn at ``ori_shapes``, in place; see :class:`BatchErasing`."""
        channels, *size = images.shape[1:]
        generator = torch.Generator(images.device)
        seeds = (numbers[:, 1] * 2**53).astype(np.int64)
        for row in np.flatnonzero(numbers[:, 0] < self.pair.noise_prob):
            generator.manual_seed(int(seeds[row]))
            # Channels as images, which are resized in half the time.
            shape = (channels, 1, *ori_shapes[row].tolist())
            noise = torch.randn(shape, generator=generator, device=images.device)
            noise.mul_(math.sqrt(self.pair.noise_variance))
            noise = F.interpolate(noise, size, mode='bilinear')[:, 0]
            images[row] = noise.add_(images[row]).round_().clamp_(0, 255)
        return images


class BatchPair:
    """:class:`ErasingFlipPair` on a batch: two views in place of one.

    Args:
        pair: The transform with the settings.
    """

    def __init__(self, pair: ErasingFlipPair) -> None:
        self.shared = pair.erasing == 'shared'
        self.parts = [BatchErasing(pair) for _ in range(1 if self.shared else 2)]
        self.noisy = bool(pair.noise_variance)
        if self.noisy:
            self.parts.append(BatchNoise(pair))
        self.one_noisy = self.noisy and pair.noise_views == 'classified'
        self.numbers = sum(part.numbers for part in self.parts)

    def __call__(
        self, images: Tensor, numbers: np.ndarray, ori_shapes: np.ndarray
    ) -> list[Tensor]:
        """Return both views; ``images`` becomes one. See :class:`BatchErasing`."""
        *erasings, last = columns_of(self.parts, numbers)
        if not self.noisy:
            erasings.append(last)
        other = images.clone() if self.one_noisy else images
        if self.noisy:
            noise, own = last
            noise(images, own, ori_shapes)
        if not self.shared:
            other = other.flip(-1)
        erase, own = erasings[0]
        erase(images, own, ori_shapes)
        if other is not images:
            erase, own = erasings[-1]
            erase(other, own, ori_shapes)
        return [images, other.flip(-1) if self.shared else other]
