"""Every image of a data set, decoded once, as it is before ``SeedAugmentation``."""

import math
import pickle
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from torch import Tensor
from torch.utils.data import Dataset

from eac_mm.utils.threads import in_threads

from ..transforms import SeedAugmentation
from ..wrappers import origins
from .memory import GB

Transform = Callable[[dict], dict | None]


def split_pipeline(dataset: Any) -> tuple[list[Transform], list[Transform]]:
    """Return the transforms before ``SeedAugmentation``, and those from it on.

    The first give the same in every epoch: all random transforms come after
    ``SeedAugmentation``.

    Raises:
        ValueError: If the data set has no pipeline, or one without
            ``SeedAugmentation``.
    """
    if not isinstance(dataset, BaseDataset):
        raise ValueError(
            f'a cache needs a data set with a pipeline, and {type(dataset).__name__} '
            'is not derived from mmengine.dataset.BaseDataset. Fix: --cache none.'
        )
    transforms = list(dataset.pipeline.transforms)
    for i, transform in enumerate(transforms):
        if isinstance(transform, SeedAugmentation):
            return transforms[:i], transforms[i:]
    names = [type(transform).__name__ for transform in transforms]
    raise ValueError(
        'a cache keeps what the pipeline gives before dict(type="SeedAugmentation"), '
        f'and the pipeline is {names}. Fix: put it before the first random transform, '
        'or use --cache none.'
    )


class Decoder:
    """Find the images that a data set serves, and decode them.

    Args:
        dataset: A data set whose pipelines hold ``SeedAugmentation``, wrapped or not.

    Attributes:
        leaves: The data sets that the images come from.
        leaf: Position in ``leaves`` for each image, int64 (M,).
        index: Index in that data set, int64 (M,).
        rows: Which image each sample has, int64 (N,).
        shape: Shape of every image: (H, W) or (H, W, C).

    Raises:
        ValueError: See :func:`split_pipeline`.
    """

    def __init__(self, dataset: Dataset) -> None:
        found = origins(dataset)
        self.leaves = found.sources
        pairs = np.stack([found.source, found.index], 1)
        images, rows = np.unique(pairs, axis=0, return_inverse=True)
        self.leaf, self.index = images.T
        self.rows = rows.reshape(-1)
        self.prefixes = [split_pipeline(leaf)[0] for leaf in self.leaves]
        self.shape = None
        self.shape = self(0)[0].shape

    def __call__(self, row: int) -> tuple[np.ndarray, dict]:
        """Return an image (uint8), and whatever else the transforms have set.

        Raises:
            ValueError: If the image is of another size or type than it must be.
        """
        leaf = self.leaf[row]
        results = self.leaves[leaf].get_data_info(int(self.index[row]))
        for transform in self.prefixes[leaf]:
            results = transform(results)
        img = results.pop('img', None)
        name = results.get('img_path', f'image {self.index[row]}')
        if not isinstance(img, np.ndarray) or img.dtype != np.uint8:
            kind = getattr(img, 'dtype', type(img).__name__)
            raise ValueError(
                f'{name}: a cache needs a uint8 image before SeedAugmentation, and the '
                f'pipeline gives {kind}. Fix: load the image before SeedAugmentation '
                'and convert it after, or use --cache none.'
            )
        if self.shape not in (None, img.shape):
            raise ValueError(
                f'{name} has the shape {img.shape}, the first image has {self.shape} '
                '(height, width, channels); a cache needs one size. Fix: '
                'dict(type="Resize", scale=(224, 224)) before SeedAugmentation, or '
                '--cache none.'
            )
        return img, results


class ImageStore:
    """The decoded images of a data set, and what its pipeline has set beside them.

    Copies of a store are the store itself: nothing changes it, and it is large.

    Args:
        decoder: Gives the images.
        images: Where to put them: uint8 (M, H, W) or (M, H, W, C), on any device.

    Attributes:
        images: The images, in the pipeline's channel order.
        ori_shapes: Height and width of each image when it was read, int (M, 2).
        index: Index of each image in its data set, int64 (M,).
        leaf: Position of that data set in the decoder's ``leaves``, int64 (M,).

    Raises:
        BadImageError: If an image cannot be used.
        ValueError: If an image is of another size or type.
    """

    def __init__(self, decoder: Decoder, images: Tensor) -> None:
        start = time.perf_counter()
        self.images = images
        self.index, self.leaf = decoder.index, decoder.leaf
        self.ori_shapes = np.zeros((len(images), 2), int)
        others = []
        for row, (img, other, ori_shape) in enumerate(_decode_all(decoder)):
            images[row] = torch.from_numpy(img)
            self.ori_shapes[row] = ori_shape
            others.append(other)
        # One array: forked workers copy the memory pages of Python's objects.
        self._others = np.frombuffer(b''.join(others), np.uint8)
        self._ends = np.cumsum([0, *map(len, others)])
        print_log(
            f'{len(images):,} images of {" x ".join(map(str, decoder.shape))} decoded '
            f'once: {images.nbytes / GB:.2f} GB of {_place(images)}, '
            f'{time.perf_counter() - start:.1f} s',
            logger='current',
        )

    def results(self, row: int) -> dict:
        """Return what the pipeline has set before ``SeedAugmentation``, but ``img``."""
        return pickle.loads(self._others[self._ends[row] : self._ends[row + 1]])

    def __deepcopy__(self, memo: dict) -> 'ImageStore':
        return self


def _decode_all(decoder: Decoder) -> Iterator[tuple[np.ndarray, bytes, tuple]]:
    """Decode in threads; yield each image, its other results and original size."""

    def decode(row: int) -> tuple[np.ndarray, bytes, tuple]:
        img, results = decoder(row)
        img = np.ascontiguousarray(img)
        return img, pickle.dumps(results), results.get('ori_shape', img.shape)[:2]

    return in_threads(decode, range(len(decoder.index)))


def _place(images: Tensor) -> str:
    shared = images.device.type == 'cpu' and images.is_shared()
    return 'shared memory' if shared else f'{images.device} memory'


def bytes_of(decoder: Decoder) -> int:
    """Return how much memory the images need."""
    return len(decoder.index) * math.prod(decoder.shape)
