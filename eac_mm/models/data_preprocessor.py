"""From uint8 views to what the backbone takes."""

import torch
from mmpretrain.models.utils import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class EACDataPreprocessor(ClsDataPreprocessor):
    """Treat both views of a pair as MMPretrain treats one image.

    Moves them to the device, turns BGR into RGB and normalises, both views
    alike. A batch of single images, as in testing, is passed through as
    MMPretrain's own preprocessor would.

    Args:
        channels_last: Lay the images out channels last, on which convolutions
            in bfloat16 run faster. The values are the same. Defaults to False.
        **kwargs: Arguments of MMPretrain's ``ClsDataPreprocessor``: ``mean``,
            ``std`` (RGB, 0..255), ``to_rgb``, ...

    Shape:
        - inputs: a list of two (N, 3, H, W), a tensor (N, 3, H, W), or lists
          of (3, H, W) in their place
        - output: a list of two (N, 3, H, W), or one tensor
    """

    def __init__(self, channels_last: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.channels_last = channels_last

    def forward(self, data: dict, training: bool = False) -> dict:
        """Preprocess a batch; see :class:`EACDataPreprocessor`."""
        inputs = data['inputs']
        if not self._is_pair(inputs):
            data = super().forward(data, training)
            return {**data, 'inputs': self._lay_out(data['inputs'])}
        first = super().forward({**data, 'inputs': inputs[0]}, training)
        second = super().forward({'inputs': inputs[1]}, training)
        views = [self._lay_out(view['inputs']) for view in (first, second)]
        return {**first, 'inputs': views}

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
