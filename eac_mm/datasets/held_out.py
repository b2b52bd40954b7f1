"""Hold a part of a data set out of training, where there is no validation split."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset, Subset

from .labels import Annotations, class_names
from .validate import require_choice
from .wrappers import walk

PARTS = ('train', 'val')


class Part(Subset):
    """A part of a data set, with its labels, annotations and class names.

    Args:
        dataset: The whole data set.
        indices: Which samples, in their order.
        labels: Their labels, int64 (N,).
    """

    def __init__(
        self, dataset: Dataset, indices: list[int], labels: np.ndarray
    ) -> None:
        super().__init__(dataset, indices)
        self.labels = labels

    @property
    def metainfo(self) -> dict:
        """Meta information of the data set, with its class names."""
        metainfo = dict(getattr(self.dataset, 'metainfo', None) or {})
        names = class_names(self.dataset)
        return metainfo if names is None else {'classes': names, **metainfo}

    def get_gt_labels(self) -> np.ndarray:
        """Return the labels, int64 (N,)."""
        return self.labels

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the label of a sample, for samplers and wrappers."""
        return [int(self.labels[idx])]

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Return the annotation of a sample."""
        return self.dataset.get_data_info(self.indices[idx])


@DATASETS.register_module()
class HeldOut(Part):
    """A part of a data set: what is trained on, or what is held out.

    The two parts of one data set, share (or folds) and seed have no sample in common
    and all samples together. Both have the classes in the same proportions, to within
    one sample a class. The labels are those of the given data set: noisy ones if it
    is a :class:`NoisyLabels`, so that a validation split needs no clean label.

    Args:
        dataset: A data set with labels, or its config;
            :class:`~eac_mm.datasets.labels.Annotations` says how labels are read.
        part: ``'train'`` or ``'val'``, which is held out.
        share: Share that is held out, in (0, 1). Defaults to 0.2.
        folds: Number k of equal folds, one of which is held out, in place of ``share``.
            Defaults to None.
        fold: Which of the folds is held out, 0 to k - 1. Defaults to 0.
        seed: Seed of the split, not of the training. Defaults to 0.

    Attributes:
        indices: The samples in the data set, in its order.

    Raises:
        ValueError: For another part, a share, folds or a seed that are not allowed, or
            if a part would be empty.

    Examples:
        >>> from eac_mm.datasets import HeldOut, SyntheticFER
        >>> faces = SyntheticFER(size=50)
        >>> len(HeldOut(faces, 'train')), len(HeldOut(faces, 'val'))
        (40, 10)
    """

    def __init__(
        self,
        dataset: Dataset | dict,
        part: str,
        share: float = 0.2,
        folds: int | None = None,
        fold: int = 0,
        seed: int = 0,
    ) -> None:
        require_choice('part', part, PARTS)
        _check(share, folds, fold, seed)
        dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        for inner in walk(dataset):
            if hasattr(inner, 'full_init'):
                inner.full_init()
        labels = Annotations(dataset).read_labels()
        held = hold_out(labels, share, folds, fold, seed)
        indices = np.flatnonzero(held == (part == 'val'))
        if not len(indices) or len(indices) == len(labels):
            raise ValueError(
                f'{len(labels)} samples leave {held.sum()} held out. Fix: another '
                'share, fewer folds, or more images.'
            )
        super().__init__(dataset, indices.tolist(), labels[indices])
        self.part = part
        print_log(
            f'{part}: {len(indices):,} of {len(labels):,} samples of '
            f'{type(dataset).__name__}, '
            f'{"held out of" if part == "val" else "the rest for"} training',
            'current',
        )


def hold_out(
    labels: np.ndarray, share: float, folds: int | None, fold: int, seed: int
) -> np.ndarray:
    """Choose what is held out, a function of the arguments alone; bool (N,).

    The samples are sorted by class and shuffled within each. In this order every k-th
    is held out, or those at which ``share`` times their number passes a whole one.
    """
    numbers = np.random.default_rng(seed).random(len(labels))
    order = np.lexsort((numbers, labels))
    place = np.arange(len(labels))
    held = np.zeros(len(labels), bool)
    if folds is not None:
        held[order] = place % folds == fold
    else:
        # Rounded, for 0.1 * 30 is a little more than 3.
        before, after = np.round(place * share, 9), np.round((place + 1) * share, 9)
        held[order] = np.floor(after) > np.floor(before)
    return held


def _check(share: float, folds: int | None, fold: int, seed: int) -> None:
    if folds is None and not (isinstance(share, Real) and 0 < share < 1):
        raise ValueError(f'share={share!r} is not allowed. Fix: give one in (0, 1).')
    if folds is not None and not (isinstance(folds, Integral) and folds > 1):
        raise ValueError(f'folds={folds!r} is not allowed. Fix: give 2 or more.')
    if not isinstance(fold, Integral) or not 0 <= fold < (folds or 1):
        raise ValueError(
            f'fold={fold!r} of folds={folds} is not allowed. Fix: count the folds '
            'from 0.'
        )
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f'seed={seed!r} is not allowed. Fix: give 0 or more.')
