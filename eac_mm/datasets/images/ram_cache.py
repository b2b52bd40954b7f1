"""Decoded images in memory that all workers share."""

from collections.abc import Sequence

import numpy as np
import torch
from mmpretrain.registry import DATASETS
from torch import Tensor

from .cache import ImageCache
from .memory import free_shared_memory, require_room
from .store import Decoder, bytes_of, split_pipeline


@DATASETS.register_module()
class RAMCache(ImageCache):
    """Keep the decoded images of a data set in RAM, for any pipeline.

    The samples are the same as without the cache, bit by bit. The images lie in shared
    memory once, whether workers are forked or spawned; each process of a distributed
    job has one copy for itself and its workers.

    See :class:`ImageCache` for the arguments and errors.

    Example:
        >>> from eac_mm.datasets import SyntheticFER
        >>> from eac_mm.datasets.images import RAMCache
        >>> pipeline = [dict(type='SeedAugmentation'), dict(type='PackInputs')]
        >>> cache = RAMCache(SyntheticFER(size=8, pipeline=pipeline))
        >>> cache[3]['inputs'].shape
        torch.Size([3, 64, 64])
    """

    def allocate(self, decoder: Decoder) -> Tensor:
        """See :class:`ImageCache`."""
        require_room(
            bytes_of(decoder),
            free_shared_memory(),
            'shared memory (/dev/shm)',
            'more of it (docker run --shm-size=...)',
        )
        shape = (len(decoder.index), *decoder.shape)
        return torch.from_numpy(np.zeros(shape, np.uint8)).share_memory_()

    def __getitem__(self, idx: int) -> dict:
        self.full_init()
        position = self.indices[idx]
        row = self.rows[position]
        results = self.store.results(row)
        # A copy: transforms may write into it.
        results['img'] = self.store.images[row].numpy().copy()
        leaf = self.leaves[self.store.leaf[row]]
        for transform in split_pipeline(leaf)[1]:
            results = transform(results)
        return self.set_labels(results, position)

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """Serve a batch, sample by sample."""
        return [self[idx] for idx in indices]
