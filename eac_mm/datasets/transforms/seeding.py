"""Augmentation as a function of (seed, epoch, sample, draw)."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS

# Of the sample that is being served: see ``drawing``.
_DRAW: ContextVar[tuple[int, int]] = ContextVar('draw', default=(0, 0))


@contextmanager
def drawing(before: int, leaf: int) -> Iterator[None]:
    """Serve a sample of data set number ``leaf``, drawn ``before`` times before."""
    token = _DRAW.set((before, leaf))
    try:
        yield
    finally:
        _DRAW.reset(token)


@TRANSFORMS.register_module()
class SeedAugmentation(BaseTransform):
    """Make every random step after this one reproducible.

    Reseeds NumPy's and Python's global generators from (seed, epoch, ``sample_idx``,
    how many times the sample was drawn before in this epoch, which of several
    concatenated data sets it comes from). What the following
    transforms draw differs from epoch to epoch, from sample to sample and from draw
    to draw. It depends on neither the number of workers nor on earlier draws of other
    samples, and a resumed run draws what the uninterrupted one would have drawn.

    PyTorch's generator is left alone: without workers it is the network's too
    (dropout). Transforms that draw from it, such as torchvision's, are not covered.

    :class:`~eac_mm.engine.EpochSeedHook` sets seed and epoch and counts the draws.
    Until it does, this transform changes nothing.

    **Required Keys:**

    - sample_idx

    Raises:
        KeyError: If the data set gives no ``sample_idx``.
    """

    def __init__(self) -> None:
        # Shared memory, because persistent workers hold a copy of the
        # pipeline that was made before the first epoch.
        self._seed_epoch = torch.full((2,), -1, dtype=torch.int64).share_memory_()

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Draw epoch ``epoch`` of seed ``seed`` from now on (both >= 0)."""
        self._seed_epoch.copy_(torch.tensor([seed, epoch]))

    @property
    def seed_epoch(self) -> tuple[int, int]:
        """Seed and epoch; both -1 until they are set."""
        seed, epoch = self._seed_epoch.tolist()
        return seed, epoch

    def __deepcopy__(self, memo: dict) -> 'SeedAugmentation':
        # Tensors are copied out of shared memory; data sets are copied by
        # their get_subset.
        copied = type(self)()
        copied._seed_epoch.copy_(self._seed_epoch)
        return copied

    def transform(self, results: dict) -> dict:
        """Reseed; ``results`` is passed on as it is."""
        seed, epoch = self.seed_epoch
        if epoch < 0:
            return results
        if 'sample_idx' not in results:
            raise KeyError(
                'SeedAugmentation needs "sample_idx" in the results, which data sets '
                'derived from mmengine.dataset.BaseDataset set. Fix: derive yours from '
                'there, or leave SeedAugmentation out of the pipeline.'
            )
        words = [seed, epoch, int(results['sample_idx'])]
        before, leaf = _DRAW.get()
        if before or leaf:
            words.append(before)
        if leaf:
            words.append(leaf)
        words = np.random.SeedSequence(words)
        numpy_seed, python_seed = words.generate_state(2)
        np.random.seed(numpy_seed)
        random.seed(int(python_seed))
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}()'
