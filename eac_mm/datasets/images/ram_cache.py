"""Decoded images in memory that all workers share."""

import math
import pickle
import time
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from .decode_once import DecodeOnce, Transform
from .memory import GB, free_shared_memory, require_room


class RAMCache:
    """A data set's images as they are before ``SeedAugmentation``.

    They lie in shared memory once, whether workers are forked or spawned; a
    process of a distributed job has one copy for itself and its workers.
    Building it decodes every image, in threads.

    Args:
        dataset: A data set whose pipeline holds ``SeedAugmentation`` and gives
            uint8 images of one size before it.

    Attributes:
        images: (N, H, W) or (N, H, W, C), uint8, in the pipeline's channel order.

    Raises:
        ValueError: Where pipeline or images are not so.
        BadImageError: Where an image cannot be used.
        MemoryError: Where the images do not fit in the memory that is free.
    """

    def __init__(self, dataset: BaseDataset) -> None:
        start = time.perf_counter()
        decode = DecodeOnce(dataset)
        shape = (len(dataset), *decode.shape)
        require_room(
            math.prod(shape),
            free_shared_memory(),
            'shared memory (/dev/shm)',
            'a larger one (docker run --shm-size=...),',
        )
        self.images = torch.from_numpy(np.zeros(shape, np.uint8)).share_memory_()
        images = self.images.numpy()

        def keep(idx: int, img: np.ndarray, results: dict) -> bytes:
            images[idx] = img
            return pickle.dumps(results)

        others = list(decode.each(keep))
        # One array, for forked workers copy the pages of Python's objects.
        self._others = np.frombuffer(b''.join(others), np.uint8)
        self._ends = np.cumsum([0, *map(len, others)])
        print_log(
            f'{len(dataset):,} images of {" x ".join(map(str, decode.shape))} decoded '
            f'once: {images.nbytes / GB:.2f} GB of shared memory, '
            f'{time.perf_counter() - start:.1f} s',
            logger='current',
        )

    def results(self, idx: int) -> dict:
        """What the pipeline has put together before ``SeedAugmentation``.

        The image is a copy, for transforms may write into it.
        """
        results = pickle.loads(self._others[self._ends[idx] : self._ends[idx + 1]])
        results['img'] = self.images[idx].numpy().copy()
        return results

    def load(self, idx: int, transforms: Sequence[Transform]) -> dict:
        """A sample, sent through the transforms from ``SeedAugmentation`` on."""
        results = self.results(idx)
        for transform in transforms:
            results = transform(results)
        return results

    def __deepcopy__(self, memo: dict) -> 'RAMCache':
        return self  # nothing changes it, and it is large
