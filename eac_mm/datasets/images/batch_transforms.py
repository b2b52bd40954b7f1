"""From the transforms of a pipeline to those that work on whole batches."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import RandomFlip
from mmpretrain.datasets import PackInputs
from torch import Tensor

from ..transforms import Erasing, ErasingFlipPair
from .batch_pair import BatchPair
from .batch_single import BatchErasing, BatchFlip

BatchTransform = BatchErasing | BatchFlip | BatchPair
Views = Tensor | list[Tensor]


def build_batch_transforms(
    transforms: Sequence, ori_shapes: np.ndarray
) -> list[BatchTransform]:
    """What does on a batch what the transforms do image by image.

    Args:
        transforms: Those after ``SeedAugmentation``, with ``PackInputs`` at
            their end.
        ori_shapes: Height and width of each image when it was read, (N, 2).

    Raises:
        ValueError: Where one of them is not known here, naming it.
    """
    *transforms, last = transforms
    built = []
    for transform in transforms:
        if type(transform) is ErasingFlipPair and transform is transforms[-1]:
            built.append(BatchPair(transform, ori_shapes))
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


def _refuse(transform: object) -> None:
    raise ValueError(
        f"cache='device' cannot run {transform!r}: after SeedAugmentation it knows "
        'Erasing, a horizontal RandomFlip and, last, ErasingFlipPair before '
        'PackInputs. Mend: train_dataloader.dataset.cache=ram, which runs any '
        'transform, image by image.'
    )
