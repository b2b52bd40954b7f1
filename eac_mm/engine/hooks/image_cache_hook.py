"""Bring the training images to the device that trains on them."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS

from eac_mm.datasets import NoisyLabels
from eac_mm.models import EACDataPreprocessor


@HOOKS.register_module()
class ImageCacheHook(Hook):
    """Serve ``cache='device'`` of :class:`~eac_mm.datasets.NoisyLabels`.

    Before training, the images are decoded onto the model's device, and the
    data preprocessor, which gets their indices, is told where they are. With
    another ``cache``, this does nothing.

    Raises:
        TypeError: Where the data preprocessor is no ``EACDataPreprocessor``.
    """

    def before_train(self, runner: Runner) -> None:
        """Load the images once."""
        dataset = noisy_labels(runner.train_dataloader.dataset)
        if dataset is None or dataset.cache != 'device':
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        preprocessor = model.data_preprocessor
        if not isinstance(preprocessor, EACDataPreprocessor):
            raise TypeError(
                f"cache='device' needs an EACDataPreprocessor, and the model's is "
                f'{type(preprocessor).__name__}. Mend: '
                'model.data_preprocessor.type=EACDataPreprocessor, or '
                'train_dataloader.dataset.cache=ram.'
            )
        if preprocessor.images is None:
            preprocessor.take_images(dataset)


def noisy_labels(dataset: Any) -> NoisyLabels | None:
    """The :class:`NoisyLabels` that a data set is or wraps, if any."""
    while dataset is not None and not isinstance(dataset, NoisyLabels):
        dataset = getattr(dataset, 'dataset', None)
    return dataset
