"""Gaussian noise on uint8 images, as it would be before they were resized."""

import math

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS


@TRANSFORMS.register_module()
class GaussianNoise(BaseTransform):
    """Add Gaussian noise to an image.

    The released codes of SCN, RUL and EAC do so before they resize a face. The noise
    is therefore drawn at the size that the image was read in and resized with the
    default interpolation of ``Resize``, bilinear.

    **Required Keys:**

    - img (H x W or H x W x C, uint8)
    - ori_shape (optional; the size at which noise is drawn)

    **Modified Keys:**

    - img

    Args:
        variance: Variance of the noise on the 0..255 scale, 0 or more. Defaults to 30,
            that of the released codes.

    Raises:
        ValueError: If the variance is negative.
    """

    def __init__(self, variance: float = 30.0) -> None:
        check_variance('variance', variance)
        self.variance = variance

    def transform(self, results: dict) -> dict:
        """Add noise to ``results['img']``."""
        img = results['img']
        ori_shape = results.get('ori_shape', img.shape[:2])
        results['img'] = add_noise(img, self.variance, ori_shape)
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(variance={self.variance})'


def check_variance(name: str, variance: float) -> None:
    """Refuse a variance that is negative or not finite.

    Raises:
        ValueError: With the argument's name.
    """
    if not 0 <= variance < math.inf:
        raise ValueError(f'{name}={variance} is not allowed. Fix: give 0 or more.')


def add_noise(
    img: np.ndarray, variance: float, ori_shape: tuple[int, int]
) -> np.ndarray:
    """Return a copy of an image with Gaussian noise.

    Args:
        img: uint8 (H, W) or (H, W, C).
        variance: Variance of the noise on the 0..255 scale.
        ori_shape: Height and width at which the noise is drawn.
    """
    shape = (*ori_shape[:2], *img.shape[2:])
    noise = np.random.normal(0, math.sqrt(variance), shape)
    noise = cv2.resize(noise, img.shape[1::-1]).reshape(img.shape)
    return np.clip(np.rint(img + noise), 0, 255).astype(img.dtype)
