"""From uint8 views to what the backbone takes."""

from typing import Any

import torch
from mmpretrain.models.utils import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor


@MODELS.register_module()
class EACDataPreprocessor(ClsDataPreprocessor):
    """Treat both views of a pair as MMPretrain treats one image.

    Moves them to the device, turns BGR into RGB and normalises, both views
    alike. A batch of single images, as in testing, is passed through as
    MMPretrain's own preprocessor would.

    It also takes indices in place of images, once :meth:`take_images` has told
    it where they are; no step waits for a GPU then.

    Args:
        channels_last: Lay the images out channels last, on which convolutions
            run faster, on CPUs in float32 too. The values are the same. Defaults
            to True.
        **kwargs: Arguments of MMPretrain's ``ClsDataPreprocessor``: ``mean``,
            ``std`` (RGB, 0..255), ``to_rgb``, ...

    Shape:
        - inputs: a list of two (N, 3, H, W), a tensor (N, 3, H, W), or lists
          of (3, H, W) in their place; or indices (N,)
        - output: a list of two (N, 3, H, W), or one tensor
    """

    def __init__(self, channels_last: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.channels_last = channels_last
        self.images = None

    def take_images(self, dataset: Any) -> None:
        """Keep a data set's images on this device, to be asked for by index.

        Args:
            dataset: A :class:`~eac_mm.datasets.NoisyLabels`.

        Raises:
            ValueError: With settings that are for batches of images alone, and as
                :class:`~eac_mm.datasets.images.DeviceImages` does.
        """
        if self.batch_augments or self.to_onehot or self.pad_size_divisor > 1:
            raise ValueError(
                "cache='device' does not know batch_augments, to_onehot and "
                'pad_size_divisor of the data preprocessor. Mend: '
                'train_dataloader.dataset.cache=ram.'
            )
        self.images = dataset.to_device(
            self.device, reverse=self.to_rgb, channels_last=self.channels_last
        )

    def forward(self, data: dict, training: bool = False) -> dict:
        """Preprocess a batch; see :class:`EACDataPreprocessor`."""
        inputs = data['inputs']
        if self._are_indices(inputs):
            return self._fetch(torch.as_tensor(inputs), data['data_samples'])
        if not self._is_pair(inputs):
            data = super().forward(data, training)
            return {**data, 'inputs': self._lay_out(data['inputs'])}
        first = super().forward({**data, 'inputs': inputs[0]}, training)
        second = super().forward({'inputs': inputs[1]}, training)
        views = [self._lay_out(view['inputs']) for view in (first, second)]
        return {**first, 'inputs': views}

    def _fetch(self, indices: Tensor, data_samples: list[DataSample]) -> dict:
        if self.images is None:
            raise ValueError(
                "the data set gives indices (cache='device'), and the data "
                'preprocessor does not know its images. Mend: add '
                'dict(type="ImageCacheHook") to the hooks; several NoisyLabels in one '
                'data set need cache=ram.'
            )
        labels = torch.cat([sample.gt_label for sample in data_samples])
        labels = labels.to(self.device, non_blocking=True)
        for sample, label in zip(data_samples, labels.split(1), strict=True):
            sample.set_gt_label(label)
        views = self.images.views(indices)
        if isinstance(views, list):
            inputs = [self._normalise(view) for view in views]
        else:
            inputs = self._normalise(views)
        return {'inputs': inputs, 'data_samples': data_samples}

    def _normalise(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W) to float32 in the same layout."""
        images = images.float()
        if not self._enable_normalize:
            return images
        if not self.channels_last:
            return images.sub_(self.mean).div_(self.std)
        # By rows of pixels: three channels at a time take five times as long.
        channels, _, width = images.shape[1:]
        rows = images.permute(0, 2, 3, 1).flatten(2)
        mean, std = (x.flatten().expand(channels) for x in (self.mean, self.std))
        rows.sub_(mean.repeat(width)).div_(std.repeat(width))
        return images

    @staticmethod
    def _are_indices(inputs: Tensor | list) -> bool:
        """One whole number a sample."""
        if isinstance(inputs, Tensor):
            return inputs.dim() == 1
        return isinstance(inputs[0], int)

    @staticmethod
    def _is_pair(inputs: Tensor | list) -> bool:
        """Two batches (tensors or lists), rather than a list of images."""
        return (
            isinstance(inputs, list | tuple)
            and len(inputs) == 2
            and all(not isinstance(x, Tensor) or x.dim() == 4 for x in inputs)
        )

    def _lay_out(self, images: Tensor) -> Tensor:
        if self.channels_last:
            return images.contiguous(memory_format=torch.channels_last)
        return images
