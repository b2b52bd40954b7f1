"""From uint8 views to what the backbone takes."""

from collections.abc import Sequence

import torch
from mmpretrain.models.utils import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor


@MODELS.register_module()
class EACDataPreprocessor(ClsDataPreprocessor):
    """Treat both views of a pair as MMPretrain treats one image.

    Moves them to the device, turns BGR into RGB and normalises, both views alike. A
    batch of single images, as in testing, gives the same as MMPretrain's own
    preprocessor.

    Batch augmentations (``model.train_cfg.augments``: Mixup, CutMix, ResizeMix) mix
    both views alike, with the same partners and weights. A box in view 2 is the mirror
    image of that in view 1, as view 2 itself is.

    Args:
        channels_last: Lay the images out channels last, on which convolutions run
            faster, on CPUs in float32 too. The values are the same. Defaults to True.
        **kwargs: Arguments of MMPretrain's ``ClsDataPreprocessor``: ``mean``, ``std``
            (RGB, 0..255), ``to_rgb``, ...

    Shape:
        - inputs: a list of two (N, 3, H, W), a tensor (N, 3, H, W), or lists of
          (3, H, W) in their place
        - output: a list of two (N, 3, H, W), or one tensor

    Raises:
        ValueError: For batch augmentations without ``num_classes``, which labels are
            mixed by.
    """

    def __init__(self, channels_last: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.channels_last = channels_last
        if self.batch_augments and self.num_classes is None:
            raise ValueError(
                'batch augmentations mix one-hot labels, and the number of classes is '
                'unknown. Fix: model.data_preprocessor.num_classes, as '
                'model.head.num_classes is, or no model.train_cfg.augments.'
            )

    def forward(self, data: dict, training: bool = False) -> dict:
        """Preprocess a batch; see :class:`EACDataPreprocessor`.

        Raises:
            ValueError: For batch augmentations of pairs whose second view is no
                mirror image.
        """
        pair = self._is_pair(data['inputs'])
        views = list(data['inputs']) if pair else [data['inputs']]
        views = [self._prepare(view) for view in views]
        samples = data.get('data_samples')
        if samples is not None:
            # MMPretrain settles the labels. It sees an image without a pixel.
            empty = torch.empty(1, 1, 0, 0, device=self.device)
            data = super().forward({'inputs': empty, 'data_samples': samples})
            samples = data['data_samples']
            if training and self.batch_augments and 'gt_score' in samples[0]:
                views = self._mix(views, samples)
        return {'inputs': views if pair else views[0], 'data_samples': samples}

    def _prepare(self, images: Tensor | Sequence[Tensor]) -> Tensor:
        """Move to the device, reorder channels and normalise a batch."""
        images = self.cast_data(images)
        channels = len(self.mean) if self._enable_normalize else None
        if (
            isinstance(images, Tensor)
            and images.dtype == torch.uint8
            and self.pad_size_divisor <= 1
            and channels in (None, images.shape[1])
        ):
            return self._normalise(self._to_float(images))
        return self._lay_out(super().forward({'inputs': images})['inputs'])

    def _to_float(self, images: Tensor) -> Tensor:
        """Convert, reorder and lay out in one copy."""
        if not self.to_rgb or images.shape[1] != 3:
            return images.to(torch.float32, memory_format=self._layout)
        floats = torch.empty(
            images.shape,
            dtype=torch.float32,
            device=images.device,
            memory_format=self._layout,
        )
        for channel in range(3):
            floats[:, channel].copy_(images[:, 2 - channel])
        return floats

    def _normalise(self, images: Tensor) -> Tensor:
        """Subtract the mean and divide by the std, in place."""
        if not self._enable_normalize:
            return images
        if not self.channels_last:
            return images.sub_(self.mean).div_(self.std)
        # By rows of pixels: three channels at a time take five times as long.
        height, width = images.shape[2:]
        rows = images.permute(0, 2, 3, 1).view(len(images), height, -1)
        mean, std = self.mean.flatten(), self.std.flatten()
        rows.sub_(mean.repeat(width)).div_(std.repeat(width))
        return images

    def _mix(self, views: list[Tensor], samples: list[DataSample]) -> list[Tensor]:
        """Mix the samples of a batch, in all views alike, and their labels."""
        if len(views) > 1 and any('view_affine' in sample for sample in samples):
            raise ValueError(
                'batch augmentations mix pairs whose second view is the mirror image '
                'of the first, and AffinePair turns or scales it, each sample by its '
                'own. Fix: ErasingFlipPair, or no model.train_cfg.augments.'
            )
        # The second view is mirrored, so that one box is the same part of the face in
        # both, and stands in further channels, so that both get the same numbers.
        aligned = [views[0], *(view.flip(-1) for view in views[1:])]
        scores = torch.stack([sample.gt_score for sample in samples])
        mixed, scores = self.batch_augments(torch.cat(aligned, 1), scores)
        for sample, score in zip(samples, scores, strict=True):
            sample.set_gt_score(score)
        first, *others = mixed.split(views[0].shape[1], 1)
        return [self._lay_out(view) for view in (first, *(v.flip(-1) for v in others))]

    @property
    def _layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    @staticmethod
    def _is_pair(inputs: Tensor | list) -> bool:
        """Return whether these are two batches (tensors or lists), not images."""
        return (
            isinstance(inputs, list | tuple)
            and len(inputs) == 2
            and all(not isinstance(x, Tensor) or x.dim() == 4 for x in inputs)
        )

    def _lay_out(self, images: Tensor) -> Tensor:
        return images.contiguous(memory_format=self._layout)
