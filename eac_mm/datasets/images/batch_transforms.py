"""From the transforms of a pipeline to those that work on whole batches."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import RandomFlip
from mmpretrain.datasets import PackInputs
from torch import Tensor

from ..transforms import Erasing, ErasingFlipPair
from .batch_pair import BatchPair
from .batch_single import BatchErasing, BatchFlip, columns_of

BatchTransform = BatchErasing | BatchFlip | BatchPair
Views = Tensor | list[Tensor]


def build_batch_transforms(transforms: Sequence) -> list[BatchTransform]:
    """Return what does on a batch what the transforms do image by image.

    Args:
        transforms: Those after ``SeedAugmentation``, with ``PackInputs`` at their end.

    Raises:
        ValueError: If one of them cannot be run in batches; it is named.
    """
    *transforms, last = transforms
    built = []
    for transform in transforms:
        if type(transform) is ErasingFlipPair and transform is transforms[-1]:
            built.append(BatchPair(transform))
        elif type(transform) is Erasing:
            built.append(BatchErasing(transform))
        elif (
            type(transform) is RandomFlip
            and transform.direction == 'horizontal'
            and isinstance(transform.prob, float)
        ):
            built.append(BatchFlip(transform))
        else:
            _refuse(transform)
    if not isinstance(last, PackInputs):
        _refuse(last)
    return built


def apply_on_batch(
    transforms: Sequence[BatchTransform],
    images: Tensor,
    numbers: np.ndarray,
    ori_shapes: np.ndarray,
) -> Views:
    """Run batch transforms one after the other.

    Args:
        transforms: See :func:`build_batch_transforms`.
        images: uint8 (n, C, H, W), changed in place.
        numbers: Uniform numbers in [0, 1), a row for each image and a column for each
            number that a transform takes.
        ori_shapes: Height and width of each image when it was read, (n, 2).

    Returns:
        uint8 (n, C, H, W), or a list of two of them.
    """
    views = images
    for transform, own in columns_of(transforms, numbers):
        views = transform(views, own, ori_shapes)
    return views


def _refuse(transform: object) -> None:
    raise ValueError(
        f'DeviceCache cannot run {transform!r}: after SeedAugmentation it knows '
        'Erasing, a horizontal RandomFlip and, last, ErasingFlipPair before '
        'PackInputs. Fix: --cache ram, which runs any transform, image by image.'
    )
