"""The two views of EAC: an erased face and its flipped counterpart."""

import cv2
import numpy as np
from mmpretrain.registry import TRANSFORMS

from .erasing import Erasing
from .gaussian_noise import add_noise, check_variance

ERASING_MODES = ('shared', 'independent')
NOISE_VIEWS = ('classified', 'both')


@TRANSFORMS.register_module()
class ErasingFlipPair(Erasing):
    """Erase a face and put its flipped counterpart beside it.

    `Learn From All: Erasing Attention Consistency for Noisy Label Facial
    Expression Recognition <https://arxiv.org/abs/2207.10299>`_, Sec. 3.3. View
    1 is classified, view 2 is used by the attention consistency only.

    **Required Keys:**

    - img (H x W or H x W x C, uint8)
    - ori_shape (optional; the size at which noise is sampled)

    **Modified Keys:**

    - img (a list of two arrays of the shape of ``img``)

    Args:
        erasing: ``'shared'`` erases once and flips the result (the paper);
            ``'independent'`` flips first and erases each view on its own (the
            authors' code for noisy labels). Defaults to ``'shared'``.
        noise_variance: Variance of Gaussian noise, on the 0..255 scale. The
            authors' code uses 30 and adds it before resizing, so it is sampled at
            ``ori_shape`` and resized with the default interpolation of
            ``Resize``, bilinear. Defaults to 0 (the paper: none).
        noise_prob: Probability of that noise. Defaults to 0.5.
        noise_views: ``'classified'`` puts it on view 1 only (the authors' code
            for noisy labels), ``'both'`` on both views alike (theirs for clean
            labels). Defaults to ``'classified'``.
        **kwargs: ``prob``, ``area``, ``aspect`` and ``fill`` of
            :class:`Erasing`.

    Raises:
        ValueError: For an unknown ``erasing`` or ``noise_views``, a negative
            variance or a probability outside [0, 1].
    """

    makes_views = True  # PreflightHook looks at what stands behind it

    def __init__(
        self,
        erasing: str = 'shared',
        noise_variance: float = 0.0,
        noise_prob: float = 0.5,
        noise_views: str = 'classified',
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if erasing not in ERASING_MODES:
            raise ValueError(
                f'erasing={erasing!r} is unknown. Fix: choose one of {ERASING_MODES}.'
            )
        if noise_views not in NOISE_VIEWS:
            raise ValueError(
                f'noise_views={noise_views!r} is unknown. Fix: choose one of '
                f'{NOISE_VIEWS}.'
            )
        check_variance('noise_variance', noise_variance)
        if not 0 <= noise_prob <= 1:
            raise ValueError(
                f'noise_prob={noise_prob} is not allowed. Fix: give a value in [0, 1].'
            )
        self.erasing = erasing
        self.noise_variance = noise_variance
        self.noise_prob = noise_prob
        self.noise_views = noise_views

    def transform(self, results: dict) -> dict:
        """Replace ``results['img']`` by its two views."""
        img = results['img']
        size = img.shape[:2]
        classified = self._add_noise(img, results.get('ori_shape', size))
        if self.noise_views == 'both':
            img = classified
        rectangle = self.sample_rectangle(*size)
        if self.erasing == 'shared':
            counterpart = mirror(self.erase(img, rectangle))
        else:
            counterpart = self.erase(mirror(img), self.sample_rectangle(*size))
        results['img'] = [self.erase(classified, rectangle), counterpart]
        return results

    def _add_noise(self, img: np.ndarray, ori_shape: tuple[int, int]) -> np.ndarray:
        if not self.noise_variance or np.random.random() >= self.noise_prob:
            return img
        return add_noise(img, self.noise_variance, ori_shape)

    def __repr__(self) -> str:
        return (
            f'{super().__repr__()[:-1]}, erasing={self.erasing!r}, '
            f'noise_variance={self.noise_variance}, noise_prob={self.noise_prob}, '
            f'noise_views={self.noise_views!r})'
        )


def mirror(img: np.ndarray) -> np.ndarray:
    """Return ``img`` (H x W or H x W x C) flipped left to right, contiguous."""
    return cv2.flip(img, 1).reshape(img.shape)  # OpenCV drops a single channel
