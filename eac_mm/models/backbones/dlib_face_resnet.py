"""The face recognition ResNet of dlib."""

import torch
from mmengine.model import BaseModule
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

# Channels and blocks of each stage.
STAGES = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))


class DlibBlock(BaseModule):
    """Two 3x3 convolutions beside a skip connection without weights.

    Where the block halves the resolution, the convolution does not pad and the skip
    is an average of 2x2 pixels, so that the two may differ by a pixel. Both are
    padded with zeros to the larger one, at the bottom and the right, and channels at
    their end.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the output, not fewer than ``in_channels``.
        down: Whether the block halves the resolution. Defaults to False.
        dense: Keep the resolution where ``down`` would halve it: the block's values
            at every second pixel are those of the block that halves. Defaults to
            False.
        dilation: Dilation of convolutions that neither halve nor follow one that
            does. Defaults to 1.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        down: bool = False,
        dense: bool = False,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.down, self.dense = down, dense
        first = dict(padding=dilation, dilation=dilation)
        if down:
            first = dict(stride=1 if dense else 2)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, bias=False, **first)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(
            channels, channels, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, channels, H', W')."""
        skip, inner = x, x
        if self.down and self.dense:
            inner = F.pad(x, (0, 2, 0, 2))
            skip = F.avg_pool2d(F.pad(x, (0, 1, 0, 1), mode='replicate'), 2, 1)
        elif self.down:
            skip = F.avg_pool2d(x, 2)
        out = F.relu(self.bn1(self.conv1(inner)))
        out = self.bn2(self.conv2(out))
        shape = [max(a, b) for a, b in zip(out.shape, skip.shape, strict=True)]
        return F.relu(_pad(out, shape) + _pad(skip, shape))


def _pad(x: Tensor, shape: list[int]) -> Tensor:
    """Append zeros up to a shape, at the end of each dimension."""
    missing = [new - old for new, old in zip(shape, x.shape, strict=True)]
    if not any(missing):
        return x
    return F.pad(x, [n for last in missing[::-1] for n in (0, last)])


@MODELS.register_module()
class DlibFaceResNet(BaseBackbone):
    """The network of dlib's face recognition, for its weights.

    They lie in the file ``dlib_face_recognition_resnet_model_v1.dat`` of the package
    ``face-recognition-models`` (public domain): ``load_from='dlib-face'`` converts
    it, and :func:`eac_mm.weights.convert_dlib_face`. dlib's affine layers are
    BatchNorm here. The images it was trained on had a side of 150 px and the face in
    the middle with a quarter of padding; as RGB, less (122.782, 117.001, 104.298),
    divided by 256.

    Args:
        num_stages: How many of its five stages to use, 1 to 5. The channels of the
            map are 32, 64, 128, 256 and 256. Defaults to 4, for the fifth is worse
            for expressions.
        dense: Keep the resolution in the last stage, which would halve it, by
            dilation. Defaults to False.
        frozen_stages: The stem and this many stages are not trained, and their
            BatchNorm stays in evaluation mode. Defaults to -1, all are trained; 0
            freezes the stem.
        init_cfg: Initialisation. Defaults to None, PyTorch's.

    Shape:
        - inputs: (N, 3, H, W), at least 64 px for four stages
        - output: a tuple of one map. Four stages: (N, 256, 3, 3) at 112 px,
          (N, 256, 6, 6) with ``dense``; at 96 px 2 x 2 and 5 x 5; at 224 px 6 x 6 and
          13 x 13.

    Raises:
        ValueError: For a number of stages that does not exist.

    Examples:
        >>> import torch
        >>> from eac_mm.models import DlibFaceResNet
        >>> DlibFaceResNet(dense=True)(torch.zeros(1, 3, 112, 112))[0].shape
        torch.Size([1, 256, 6, 6])
    """

    def __init__(
        self,
        num_stages: int = 4,
        dense: bool = False,
        frozen_stages: int = -1,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_stages not in range(1, len(STAGES) + 1):
            raise ValueError(
                f'num_stages={num_stages}: the network has 1 to {len(STAGES)} stages. '
                'Fix: num_stages=4.'
            )
        if frozen_stages not in range(-1, num_stages + 1):
            raise ValueError(
                f'frozen_stages={frozen_stages}: allowed are -1 (none) to '
                f'{num_stages}. Fix: frozen_stages=-1.'
            )
        self.dense = dense
        self.frozen_stages = frozen_stages
        self.conv1 = nn.Conv2d(3, STAGES[0][0], 7, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(STAGES[0][0])
        self.stages = nn.ModuleList()
        channels = STAGES[0][0]
        for stage, (width, blocks) in enumerate(STAGES[:num_stages]):
            last = dense and stage == num_stages - 1
            layers = []
            for block in range(blocks):
                down = stage > 0 and block == 0
                dilated = 2 if last and stage > 0 else 1
                layers.append(DlibBlock(channels, width, down, last, dilated))
                channels = width
            self.stages.append(nn.Sequential(*layers))
        self._freeze()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return the map of the last stage, in a tuple as MMPretrain's backbones."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2)
        for stage in self.stages:
            x = stage(x)
        return (x,)

    def _frozen(self) -> list[nn.Module]:
        stem = [self.conv1, self.bn1] if self.frozen_stages >= 0 else []
        return [*stem, *self.stages[: max(self.frozen_stages, 0)]]

    def _freeze(self) -> None:
        for module in self._frozen():
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> 'DlibFaceResNet':
        """Set the mode; frozen parts stay in evaluation mode."""
        super().train(mode)
        for module in self._frozen():
            module.eval()
        return self


def norms(backbone: DlibFaceResNet) -> list[nn.BatchNorm2d]:
    """List the norms in the order in which dlib's file has its affine layers."""
    blocks = [block for stage in backbone.stages for block in stage]
    return [backbone.bn1, *(norm for b in blocks for norm in (b.bn1, b.bn2))]


def convolutions(backbone: DlibFaceResNet) -> list[nn.Conv2d]:
    """List the convolutions in the order of dlib's file."""
    blocks = [block for stage in backbone.stages for block in stage]
    return [backbone.conv1, *(conv for b in blocks for conv in (b.conv1, b.conv2))]


@torch.no_grad()
def set_affine(norm: nn.BatchNorm2d, gamma: Tensor, beta: Tensor) -> None:
    """Set weight and bias so that evaluation computes ``gamma * x + beta``."""
    scale = (norm.running_var + norm.eps).sqrt()
    norm.weight.copy_(gamma * scale)
    norm.bias.copy_(beta + gamma * norm.running_mean)
