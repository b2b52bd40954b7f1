"""A sampler that draws all classes equally often."""

import math
from collections.abc import Iterator

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from mmpretrain.registry import DATA_SAMPLERS
from torch.utils.data import Dataset, Sampler

from eac_mm.datasets.labels import Annotations, check_range, class_names


@DATA_SAMPLERS.register_module()
class ClassBalancedSampler(Sampler):
    """Draw all classes equally often, by the labels that are trained on.

    An epoch is as long as the data set, and every class has the same number of
    draws in it. If the number of classes does not divide the length, some classes
    have one more, others in each epoch. Within a class, no sample is drawn a second
    time before all others are drawn once: large classes leave samples out, others
    in each epoch, and small ones repeat.

    The draws are a function of (seed, epoch) and nothing else: a resumed run draws
    what the uninterrupted one would have drawn. The ranks take turns in one common
    sequence. With label noise the classes are those of the noisy labels. Labels are
    read once, when the sampler is built.

    Args:
        dataset: Data set with labels;
            :class:`~eac_mm.datasets.labels.Annotations` says how they are read.
        seed: Seed of the draws, the same on all ranks. Defaults to None: one
            drawn at random and shared; the Runner gives its own.
        round_up: Repeat the first draws at the end if the ranks' shares would
            differ in length. Defaults to True.
        allow_empty: Draw from the other classes if some have no sample. Defaults to
            False: an error.

    Raises:
        TypeError: If the data set gives its labels in no known way.
        ValueError: If it is empty, a sample does not have exactly one label in
            range, or a class has no sample.
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
        """Return the indices drawn in the epoch, of all ranks, in order: (N,)."""
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
        """Return the number of draws of this rank."""
        others = 0 if self.round_up else self.rank
        return math.ceil((self.size - others) / self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Draw this epoch from now on."""
        self.epoch = epoch


def _draw_from(members: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``count`` members: all of them as often as possible, then some."""
    rounds, rest = divmod(count, len(members))
    some = rng.choice(members, rest, replace=False)
    return np.concatenate([np.tile(members, rounds), some])


def _members_of_classes(dataset: Dataset, allow_empty: bool) -> list[np.ndarray]:
    """Indices of the samples of each class that has some."""
    annotations = Annotations(dataset)
    labels = annotations.read_labels()
    classes = class_names(dataset) or range(labels.max() + 1)
    check_range(labels, classes, annotations.name_of)
    members = [np.flatnonzero(labels == label) for label in range(len(classes))]
    empty = [repr(c) for c, m in zip(classes, members, strict=True) if not len(m)]
    if empty and not allow_empty:
        raise ValueError(
            f'{len(empty)} of the {len(classes)} classes of '
            f'{type(dataset).__name__} have no sample to draw: '
            f'{", ".join(empty[:5])}{", ..." if len(empty) > 5 else ""}. Fix: correct '
            'the data set or its classes, or draw from the others by '
            'sampler=dict(allow_empty=True).'
        )
    return [m for m in members if len(m)]
