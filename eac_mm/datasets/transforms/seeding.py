"""Augmentation as a function of (seed, epoch, sample)."""

import random

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SeedAugmentation(BaseTransform):
    """Make every random step after this one repeatable.

    Reseeds NumPy's and Python's global generators from (seed, epoch,
    ``sample_idx``), so that what the following transforms draw depends on
    neither the number of workers nor on what was drawn before: it differs from
    epoch to epoch and from sample to sample, and a resumed run draws what the
    uninterrupted one would have drawn. PyTorch's generator is left alone, for
    without workers it is the network's too (dropout): transforms that draw from
    it, such as torchvision's, are not covered.

    :class:`~eac_mm.engine.EpochSeedHook` sets the seed and the epoch;
    until it does, this transform changes nothing.

    **Required Keys:**

    - sample_idx

    Raises:
        KeyError: Where the data set gives no ``sample_idx``.
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
                'SeedAugmentation needs "sample_idx" in the results, which '
                'data sets derived from mmengine.dataset.BaseDataset set; this '
                'one did not. Mend: derive it from there, or leave '
                'SeedAugmentation out of the pipeline.'
            )
        words = np.random.SeedSequence([seed, epoch, int(results['sample_idx'])])
        numpy_seed, python_seed = words.generate_state(2)
        np.random.seed(numpy_seed)
        random.seed(int(python_seed))
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}()'
