"""Two views: a face, and the same face rotated and scaled rather than flipped."""

import math

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS

from .erasing import IMAGENET_MEAN_BGR


@TRANSFORMS.register_module()
class AffinePair(BaseTransform):
    """Put a rotated and scaled counterpart beside a face.

    `Learn From All: Erasing Attention Consistency for Noisy Label Facial
    Expression Recognition <https://arxiv.org/abs/2207.10299>`_, Table 4: Rotate
    and Scale in place of the flip, with attention maps transformed alike (by
    :class:`~eac_mm.models.AttentionConsistencyLoss`). View 1 is the image as it comes,
    possibly erased by :class:`Erasing` before. View 2 is that image turned about
    its centre by an angle uniform in [-``angle``, ``angle``] and enlarged by a
    factor log-uniform in ``scale``, at the same size, bilinear.

    The attention consistency needs ``view_affine`` to align the maps. It reaches
    :class:`~eac_mm.models.EACHead` by
    ``dict(type='PackInputs', algorithm_keys=('view_affine',))``; without it, view 2
    would be treated as a flip.

    **Required Keys:**

    - img (H x W or H x W x C)

    **Modified Keys:**

    - img (a list of two arrays of the shape of ``img``)

    **Added Keys:**

    - view_affine (2 x 3, float32: where in view 1 a point of view 2 lies, in
      coordinates from -1 to 1 at the image's outer edges, as ``theta`` of
      ``torch.nn.functional.affine_grid`` with ``align_corners=False``)

    Args:
        angle: Largest angle in degrees, in [0, 180]; positive angles turn clockwise.
            Defaults to 0.
        scale: Range of the factor; above 1 enlarges. Defaults to (1, 1).
        fill: Colour outside of view 1, as in :class:`Erasing`. Defaults to
            ImageNet's mean in BGR.

    Raises:
        ValueError: For an angle, a range or a colour that is not allowed.
    """

    makes_views = True
    needs_packing = ('view_affine',)  # PreflightHook looks for it in the samples

    def __init__(
        self,
        angle: float = 0.0,
        scale: tuple[float, float] = (1.0, 1.0),
        fill: tuple[float, float, float] = IMAGENET_MEAN_BGR,
    ) -> None:
        if not 0 <= angle <= 180:
            raise ValueError(
                f'angle={angle} is not allowed. Fix: give degrees in [0, 180].'
            )
        if not 0 < scale[0] <= scale[1] < math.inf:
            raise ValueError(
                f'scale={scale} is not allowed. Fix: give (low, high) with '
                '0 < low <= high.'
            )
        if np.ndim(fill) != 1 or not all(0 <= value <= 255 for value in fill):
            raise ValueError(
                f'fill={fill} is not allowed. Fix: give one value for each channel, '
                'each in 0..255.'
            )
        self.angle = angle
        self.scale = tuple(scale)
        self.fill = tuple(fill)

    def transform(self, results: dict) -> dict:
        """Replace ``results['img']`` by its two views."""
        img = results['img']
        angle = np.random.uniform(-self.angle, self.angle)
        scale = math.exp(np.random.uniform(*np.log(self.scale)))
        results['img'] = [img, self.warp(img, angle, scale)]
        results['view_affine'] = self.matrix(*img.shape[:2], angle, scale)
        return results

    def warp(self, img: np.ndarray, angle: float, scale: float) -> np.ndarray:
        """Turn ``img`` clockwise by ``angle`` degrees and enlarge it by ``scale``."""
        fill = self.fill
        if img.ndim == 2 or img.shape[2] != len(fill):
            fill = (np.mean(fill),) * 4  # OpenCV takes four values for any channels
        warped = mmcv.imrotate(img, angle, scale=scale, border_value=fill)
        return warped.reshape(img.shape)

    @staticmethod
    def matrix(height: int, width: int, angle: float, scale: float) -> np.ndarray:
        """Return ``view_affine`` of :meth:`warp` for images of this size."""
        cos = math.cos(math.radians(angle)) / scale
        sin = math.sin(math.radians(angle)) / scale
        # In pixels from the centre, y downwards, a turn back by the angle
        return np.array(
            [[cos, sin * height / width, 0], [-sin * width / height, cos, 0]],
            np.float32,
        )

    def __repr__(self) -> str:
        return (
            f'{self.__class__.__name__}(angle={self.angle}, scale={self.scale}, '
            f'fill={self.fill})'
        )
