"""ResNet with the strides and the max pooling of Caffe."""

from mmpretrain.models import ResNet
from mmpretrain.registry import MODELS
from torch import nn


@MODELS.register_module()
class CaffeResNet(ResNet):
    """Compute what `Caffe's ResNet <https://arxiv.org/abs/1512.03385>`_ does.

    The weights of `VGGFace2 <https://arxiv.org/abs/1710.08092>`_ come from such a
    network. The names and shapes of its weights are those of MMPretrain's ``ResNet``.
    Two things differ:

    - A bottleneck's stride is in its first 1x1 convolution (``style='caffe'``).
    - The max pooling does not pad and rounds its size up, so that its windows lie one
      pixel further to the right and the bottom.

    Args:
        depth: Depth of the network, one of 18, 34, 50, 101 and 152.
        style: Where a bottleneck has its stride. Defaults to ``'caffe'``.
        **kwargs: Further arguments of MMPretrain's ``ResNet``.
    """

    def __init__(self, depth: int, style: str = 'caffe', **kwargs) -> None:
        super().__init__(depth, style=style, **kwargs)

    def _make_stem_layer(self, in_channels: int, stem_channels: int) -> None:
        super()._make_stem_layer(in_channels, stem_channels)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=0, ceil_mode=True)
