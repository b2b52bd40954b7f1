"""The noise and the two views of EAC on whole batches; see ``batch_single``."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..transforms import ErasingFlipPair
from .batch_single import BatchErasing, settle_all


class BatchNoise:
    """The Gaussian noise of :class:`ErasingFlipPair` on a batch.

    Args:
        pair: The transform with the settings.
        ori_shapes: Height and width at which to draw the noise of each sample,
            (N, 2).
    """

    numbers = 2

    def __init__(self, pair: ErasingFlipPair, ori_shapes: np.ndarray) -> None:
        self.pair = pair
        self.ori_shapes = ori_shapes

    def settle(self, numbers: np.ndarray, size: tuple[int, int]) -> None:
        """See :meth:`BatchErasing.settle`."""
        self.noisy = numbers[:, 0] < self.pair.noise_prob
        self.seeds = (numbers[:, 1] * 2**53).astype(np.int64)

    def __call__(self, images: Tensor, samples: np.ndarray, bgr: bool) -> Tensor:
        """Add noise, in place; see :class:`BatchErasing`."""
        channels, *size = images.shape[1:]
        generator = torch.Generator(images.device)
        for row in np.flatnonzero(self.noisy[samples]):
            generator.manual_seed(int(self.seeds[samples[row]]))
            # Channels as images, which are resized in half the time.
            shape = (channels, 1, *self.ori_shapes[samples[row]].tolist())
            noise = torch.randn(shape, generator=generator, device=images.device)
            noise.mul_(math.sqrt(self.pair.noise_variance))
            noise = F.interpolate(noise, size, mode='bilinear')[:, 0]
            images[row] = noise.add_(images[row]).round_().clamp_(0, 255)
        return images


class BatchPair:
    """:class:`ErasingFlipPair` on a batch: two views in place of one.

    Args:
        pair: The transform with the settings.
        ori_shapes: See :class:`BatchNoise`.
    """

    def __init__(self, pair: ErasingFlipPair, ori_shapes: np.ndarray) -> None:
        self.shared = pair.erasing == 'shared'
        self.erasings = [BatchErasing(pair) for _ in range(1 if self.shared else 2)]
        self.noise = BatchNoise(pair, ori_shapes) if pair.noise_variance else None
        self.one_noisy = self.noise is not None and pair.noise_views == 'classified'
        self.parts = [*self.erasings, *([self.noise] if self.noise else [])]
        self.numbers = sum(part.numbers for part in self.parts)

    def settle(self, numbers: np.ndarray, size: tuple[int, int]) -> None:
        """See :meth:`BatchErasing.settle`."""
        settle_all(self.parts, numbers, size)

    def __call__(self, images: Tensor, samples: np.ndarray, bgr: bool) -> list[Tensor]:
        """Both views; ``images`` becomes the first. See :class:`BatchErasing`."""
        other = images.clone() if self.one_noisy else images
        if self.noise:
            self.noise(images, samples, bgr)
        if not self.shared:
            other = other.flip(-1)
        self.erasings[0](images, samples, bgr)
        if other is not images:
            self.erasings[-1](other, samples, bgr)
        return [images, other.flip(-1) if self.shared else other]
