"""Crop images to their face boxes."""

import math

from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CropFace(BaseTransform):
    """Crop the image to the face box that comes with it.

    It comes right after loading, because the box is in pixels of the file. A box or
    margin that extends beyond the image is cut at its border.

    **Required Keys:**

    - img (H x W or H x W x C)
    - bbox ((left, top, width, height) in pixels, or None for the whole image)
    - img_path (optional; named in errors)

    **Modified Keys:**

    - img
    - img_shape
    - ori_shape (the crop's: later transforms draw noise at this size)

    Args:
        margin: How much to add on each side, as a share of the box's width or
            height. Defaults to 0.

    Raises:
        ValueError: For a margin that is negative or not finite, or a box that lies
            outside its image.
        KeyError: If the data set gives no ``bbox``.
    """

    def __init__(self, margin: float = 0.0) -> None:
        if not 0 <= margin < math.inf:
            raise ValueError(
                f'margin={margin}: give a share of the box, 0 or more, such as 0.1.'
            )
        self.margin = margin

    def transform(self, results: dict) -> dict:
        """Crop ``results['img']``."""
        if 'bbox' not in results:
            raise KeyError(
                'CropFace needs "bbox" in the results, which AffectNet sets with '
                'crop=True. Fix: set it, or leave CropFace out of the pipeline.'
            )
        if results['bbox'] is None:
            return results
        left, top, width, height = results['bbox']
        img = results['img']
        rows = _span(top, height, self.margin, img.shape[0])
        columns = _span(left, width, self.margin, img.shape[1])
        face = img[rows, columns].copy()
        if not face.size:
            raise ValueError(
                f'the face box {tuple(results["bbox"])} (left, top, width, height) of '
                f'{results.get("img_path", "an image")} lies outside the image of '
                f'{img.shape[1]} x {img.shape[0]} pixels (width x height). Fix: '
                'correct the box in its list.'
            )
        results['img'] = face
        results['img_shape'] = results['ori_shape'] = face.shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(margin={self.margin})'


def _span(start: int, length: int, margin: float, size: int) -> slice:
    """Return the pixels of a side of the box with its margins, inside the image."""
    low = round(start - margin * length)
    high = round(start + (1 + margin) * length)
    return slice(min(max(low, 0), size), min(max(high, 0), size))
