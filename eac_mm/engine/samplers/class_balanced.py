"""As many samples of each class, however many it has."""

import math
from collections.abc import Iterator

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from mmpretrain.registry import DATA_SAMPLERS
from torch.utils.data import Dataset, Sampler


@DATA_SAMPLERS.register_module()
class ClassBalancedSampler(Sampler):
    """Draw alike from all classes, by the labels that are trained on.

    An epoch is as long as the data set, and every class has the same number of
    draws in it: where the number of classes does not divide the length, some
    classes, others in each epoch, have one more. Within a class, no sample is
    drawn a second time before all others of it are drawn once; large classes
    leave samples out, others in each epoch, and small ones repeat.

    The draws are a function of (seed, epoch) alone, so that a resumed run draws
    what the uninterrupted one would have drawn, and the ranks take turns in one
    common sequence. With label noise the classes are those of the given labels.
    Labels are read once, when the sampler is built.

    Args:
        dataset: Data set with ``get_gt_labels()``, as MMPretrain's, or
            ``get_cat_ids(idx)`` of one id each, as its wrappers'.
        seed: Seed of the draws, the same on all ranks. Defaults to None: one
            drawn at random and shared; the Runner gives its own.
        round_up: Repeat the first draws at the end where the ranks' shares would
            differ in length. Defaults to True.
        allow_empty: Draw from the classes that have samples where others have
            none. Defaults to False: an error.

    Raises:
        TypeError: Where the data set does not give its labels.
        ValueError: Where it is empty, a sample has not exactly one label or one
            out of range, or a class has no sample.
    """

    def __init__(
        self,
        dataset: Dataset,
        seed: int | None = None,
        round_up: bool = True,
        allow_empty: bool = False,
    ) -> None:
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self.round_up = round_up
        self.size = len(dataset)
        self.members = _members_of_classes(dataset, allow_empty)

    def draw(self) -> np.ndarray:
        """All draws of the epoch, of all ranks, in order: indices, (N,)."""
        rng = np.random.default_rng([self.seed, self.epoch])
        share, rest = divmod(self.size, len(self.members))
        counts = np.full(len(self.members), share)
        counts[rng.permutation(len(self.members))[:rest]] += 1
        draws = [
            _draw_from(members, count, rng)
            for members, count in zip(self.members, counts, strict=True)
        ]
        return rng.permutation(np.concatenate(draws))

    def __iter__(self) -> Iterator[int]:
        draws = self.draw()
        if self.round_up:
            draws = np.resize(draws, len(self) * self.world_size)
        return iter(draws[self.rank :: self.world_size].tolist())

    def __len__(self) -> int:
        """Number of draws of this rank."""
        others = 0 if self.round_up else self.rank
        return math.ceil((self.size - others) / self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Draw this epoch from now on."""
        self.epoch = epoch


def _draw_from(members: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` members: all of them as often as that goes, then some."""
    rounds, rest = divmod(count, len(members))
    some = rng.choice(members, rest, replace=False)
    return np.concatenate([np.tile(members, rounds), some])


def _members_of_classes(dataset: Dataset, allow_empty: bool) -> list[np.ndarray]:
    """Indices of the samples of each class that has some."""
    labels = _labels_of(dataset)
    if not len(labels):
        raise ValueError(
            f'{type(dataset).__name__} is empty. Mend: see its data_root, ann_file '
            'and indices.'
        )
    classes = getattr(dataset, 'metainfo', {}).get('classes')
    if classes is None:
        classes = range(labels.max() + 1)
    bad = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(bad):
        raise ValueError(
            f'sample {bad[0]} of {type(dataset).__name__} has the label '
            f'{labels[bad[0]]}; its {len(classes)} classes allow 0 to '
            f'{len(classes) - 1}.'
        )
    members = [np.flatnonzero(labels == label) for label in range(len(classes))]
    empty = [repr(c) for c, m in zip(classes, members, strict=True) if not len(m)]
    if empty and not allow_empty:
        raise ValueError(
            f'{len(empty)} of the {len(classes)} classes of '
            f'{type(dataset).__name__} have no sample to draw: '
            f'{", ".join(empty[:5])}{", ..." if len(empty) > 5 else ""}. Mend the '
            'data set or its classes, or draw from the others by '
            'sampler=dict(allow_empty=True).'
        )
    return [m for m in members if len(m)]


def _labels_of(dataset: Dataset) -> np.ndarray:
    name = type(dataset).__name__
    if hasattr(dataset, 'get_gt_labels'):
        labels = dataset.get_gt_labels()
    elif hasattr(dataset, 'get_cat_ids'):
        ids = [dataset.get_cat_ids(i) for i in range(len(dataset))]
        several = next((i for i, found in enumerate(ids) if len(found) != 1), None)
        if several is not None:
            raise ValueError(
                f'sample {several} of {name} has the classes {list(ids[several])}; '
                'ClassBalancedSampler needs one a sample.'
            )
        labels = [found[0] for found in ids]
    else:
        raise TypeError(
            f'ClassBalancedSampler cannot ask {name} for its labels: it has neither '
            'get_gt_labels() nor get_cat_ids(idx). Mend: wrap it in NoisyLabels, or '
            'use DefaultSampler.'
        )
    labels = np.asarray(labels)
    integers = labels.size == 0 or np.issubdtype(labels.dtype, np.integer)
    if labels.ndim != 1 or not integers:
        raise ValueError(
            f'{name} gives labels of shape {labels.shape} and type {labels.dtype}; '
            'ClassBalancedSampler needs one integer a sample.'
        )
    return labels
