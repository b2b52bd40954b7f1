"""What the caches share: a wrapper that serves a data set from decoded images."""

import copy
from collections.abc import Sequence

import numpy as np
from mmengine.dataset import ClassBalancedDataset, RepeatDataset
from mmpretrain.datasets import KFoldDataset
from mmpretrain.registry import DATASETS
from torch import Tensor
from torch.utils.data import ConcatDataset, Dataset, Subset

from ..wrappers import origins, parts_of, walk
from .store import Decoder, ImageStore

# Wrappers that serve the samples of what they wrap as they are.
TRANSPARENT = (
    ClassBalancedDataset,
    ConcatDataset,
    KFoldDataset,
    RepeatDataset,
    Subset,
)


class ImageCache(Subset):
    """Serve a data set whose images are decoded once, before the first epoch.

    The cache is the outermost data set, around all other wrappers. It owns images and
    no labels: it serves the labels of the data set that it wraps. An image that
    several samples share is kept once.

    MMEngine's runner has the images decoded when it builds the loader
    (:meth:`full_init`), else the first sample does.

    Args:
        dataset: A data set or its config. Each data set in it that wraps no other has
            a pipeline with ``SeedAugmentation``.

    Raises:
        ValueError: If the data set holds another cache, or a wrapper whose samples are
            not known to be those of what it wraps.
    """

    def __init__(self, dataset: Dataset | dict) -> None:
        if isinstance(dataset, dict):
            dataset = DATASETS.build(dataset)
        for part in walk(dataset):
            _refuse_unknown(part, type(self).__name__)
        if hasattr(dataset, 'full_init'):
            dataset.full_init()
        super().__init__(dataset, range(len(dataset)))
        self.store: ImageStore | None = None
        # A data set that sets labels owns them, else the innermost one does.
        labellers = {type(p) for p in walk(dataset) if hasattr(p, 'set_labels')}
        self._owners = origins(dataset, tuple(labellers))

    @property
    def metainfo(self) -> dict:
        """Meta information of the wrapped data set."""
        first = self._owners.sources[0]
        return getattr(self.dataset, 'metainfo', None) or first.metainfo

    def get_data_info(self, idx: int) -> dict:
        """Return the annotation of a sample."""
        source, index = self.owner_of(self.indices[idx])
        return self._owners.sources[source].get_data_info(index)

    def get_gt_labels(self) -> np.ndarray:
        """Return the labels that are trained on, int64 (N,)."""
        labels = np.empty(len(self.dataset), np.int64)
        for number, source in enumerate(self._owners.sources):
            here = self._owners.source == number
            labels[here] = np.asarray(source.get_gt_labels())[self._owners.index[here]]
        return labels[list(self.indices)]

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the label of a sample, for samplers and wrappers."""
        source, index = self.owner_of(self.indices[idx])
        return self._owners.sources[source].get_cat_ids(index)

    def get_subset(self, indices: int | Sequence[int]) -> 'ImageCache':
        """Return a part of this data set that shares the images.

        Args:
            indices: The samples, or how many: the first ones, or the last ones if the
                number is negative.
        """
        part = copy.copy(self)
        every = range(len(self))
        if isinstance(indices, int):
            kept = every[:indices] if indices >= 0 else every[indices:]
        else:
            kept = [every[i] for i in indices]
        part.indices = [self.indices[i] for i in kept]
        return part

    def full_init(self) -> None:
        """Decode the images, unless that is done.

        Raises:
            ValueError: If a pipeline or an image does not suit a cache.
            BadImageError: If an image cannot be used.
            MemoryError: If the images need more memory than is free.
        """
        if self.store is not None:
            return
        decoder = Decoder(self.dataset)
        self.leaves, self.rows = decoder.leaves, decoder.rows
        self.store = ImageStore(decoder, self.allocate(decoder))

    def allocate(self, decoder: Decoder) -> Tensor:
        """Return memory for the images, uint8 (M, H, W) or (M, H, W, C).

        Raises:
            MemoryError: If it needs more than is free.
        """
        raise NotImplementedError

    def set_labels(self, packed: dict, position: int) -> dict:
        """Give a packed sample the labels that the wrapped data set gives it.

        Args:
            packed: The sample as its own pipeline packs it.
            position: Its index in the wrapped data set.
        """
        source, index = self.owner_of(position)
        owner = self._owners.sources[source]
        return (
            owner.set_labels(packed, index) if hasattr(owner, 'set_labels') else packed
        )

    def owner_of(self, position: int) -> tuple[int, int]:
        """Return which data set owns the label of a sample, and its index there."""
        owners = self._owners
        return int(owners.source[position]), int(owners.index[position])


def _refuse_unknown(part: Dataset, cache: str) -> None:
    """Refuse what a cache cannot stand for."""
    name = type(part).__name__
    if isinstance(part, ImageCache):
        raise ValueError(
            f'{cache} wraps a data set with a {name} inside, and a cache is the '
            f'outermost data set. Fix: remove the inner {name}.'
        )
    known = isinstance(part, TRANSPARENT) or hasattr(part, 'set_labels')
    if parts_of(part) and not known:
        raise ValueError(
            f'{cache} cannot wrap {name}: it is unknown what {name} changes in the '
            'samples. Fix: --cache none.'
        )
