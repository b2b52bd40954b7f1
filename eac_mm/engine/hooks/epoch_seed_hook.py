"""Derive all random numbers of an epoch from the seed and the epoch."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpretrain.registry import HOOKS

from eac_mm.datasets.draws import count_draws
from eac_mm.datasets.transforms import SeedAugmentation
from eac_mm.datasets.wrappers import transforms_of


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Reseed at the start of each epoch, so that a resumed run is exact.

    Every :class:`SeedAugmentation` of the training data learns the seed, the epoch
    and, for each sample, how many times it was drawn before in this epoch. PyTorch's
    generators, which dropout draws from, start anew from (seed, epoch, rank): MMEngine
    saves no generator's state, so a resumed run would draw other numbers than the
    uninterrupted one.

    Raises:
        ValueError: If a pipeline holds a ``SeedAugmentation`` and training does not go
            by epochs: the augmentation would never change.
        TypeError: If a wrapper of the training data is unknown; see
            :func:`~eac_mm.datasets.wrappers.origins`.
    """

    def before_train(self, runner: Runner) -> None:
        """Find the transforms once, and have the loader count draws for them."""
        loader = runner.train_dataloader
        self.transforms = list(transforms_of(loader.dataset, SeedAugmentation))
        if not self.transforms:
            return
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                'SeedAugmentation needs an epoch, and '
                f'{type(runner.train_loop).__name__} has none. Fix: use '
                'train_cfg=dict(by_epoch=True, ...), or leave SeedAugmentation out '
                'of the training pipeline.'
            )
        count_draws(loader)

    def before_train_epoch(self, runner: Runner) -> None:
        """Set seed and epoch before the loader starts to fetch."""
        for transform in self.transforms:
            transform.set_epoch(runner.seed, runner.epoch)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Reseed before a step: PyTorch in the first one, NumPy and Python in each.

        PyTorch's generator serves the network. Batch augmentations draw from NumPy's,
        which the loader uses too if it has no workers.

        PyTorch is not reseeded earlier: the loader draws a number whenever its workers
        start, which depends on their settings and on where a run resumes. A loop that
        goes by iterations can resume at any of them, so each is reseeded.
        """
        # A key of its own: samplers and SeedAugmentation have as many words.
        words = np.random.SeedSequence(
            [runner.seed, runner.iter, get_rank()], spawn_key=(2,)
        )
        numpy_seed, python_seed = words.generate_state(2)
        np.random.seed(numpy_seed)
        random.seed(int(python_seed))
        by_epoch = isinstance(runner.train_loop, EpochBasedTrainLoop)
        if batch_idx == 0 or not by_epoch:
            step = runner.epoch if by_epoch else runner.iter
            words = np.random.SeedSequence([runner.seed, step, get_rank()])
            torch.manual_seed(int(words.generate_state(1, np.uint64)[0]) >> 1)
