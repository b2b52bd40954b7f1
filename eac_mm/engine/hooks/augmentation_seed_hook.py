"""Tell the pipelines which epoch it is."""

from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpretrain.registry import HOOKS

from eac_mm.datasets.transforms import SeedAugmentation


@HOOKS.register_module()
class AugmentationSeedHook(Hook):
    """Give every :class:`SeedAugmentation` of training the seed and the epoch.

    Raises:
        ValueError: Where a pipeline holds a ``SeedAugmentation`` and training
            does not go by epochs: the augmentation would never change.
    """

    def before_train(self, runner: Runner) -> None:
        """Find the transforms once."""
        self.transforms = list(seed_transforms(runner.train_dataloader.dataset))
        if self.transforms and not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                'SeedAugmentation needs an epoch, and '
                f'{type(runner.train_loop).__name__} has none. Mend: use '
                'train_cfg=dict(by_epoch=True, ...), or leave SeedAugmentation out '
                'of the training pipeline.'
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Pass the epoch on, before the loader starts to fetch."""
        for transform in self.transforms:
            transform.set_epoch(runner.seed, runner.epoch)


def seed_transforms(dataset: Any) -> Iterator[SeedAugmentation]:
    """The seeding transforms of a data set, wrapped or concatenated."""
    for transform in getattr(getattr(dataset, 'pipeline', None), 'transforms', ()):
        if isinstance(transform, SeedAugmentation):
            yield transform
    inner = getattr(dataset, 'dataset', None)
    parts = [inner] if inner is not None else getattr(dataset, 'datasets', ())
    for part in parts:
        yield from seed_transforms(part)
