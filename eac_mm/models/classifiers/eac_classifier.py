"""The two-view classifier of Erasing Attention Consistency."""

from collections.abc import Sequence
from typing import Any

from mmpretrain.models import ImageClassifier
from mmpretrain.models.necks import GeneralizedMeanPooling, GlobalAveragePooling
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

POOLINGS = (GlobalAveragePooling, GeneralizedMeanPooling)


@MODELS.register_module()
class EACClassifier(ImageClassifier):
    """Run the network on each view of a pair and hand both to the head.

    View 2 is left out if the head does not need it (``head.views``), or cut to the
    share of the batch that the head takes (``head.paired``). The views pass one after
    the other, so that each has its own batch statistics, as in the authors' code. In
    testing it is MMPretrain's ``ImageClassifier``.

    All outputs of the backbone go to the neck. The head gets two things of each view:
    the pooled features, and the feature maps that they are pooled from. The maps are
    what enters the neck's last ``GlobalAveragePooling`` (or
    ``GeneralizedMeanPooling``): the backbone's last output in most networks, the fused
    scales of HRNet with ``neck=[dict(type='HRFuseScales', ...),
    dict(type='GlobalAveragePooling')]``. A neck without such a layer counts as a
    pooling itself.

    Args:
        *args: As of MMPretrain's ``ImageClassifier``.
        **kwargs: As of MMPretrain's ``ImageClassifier``. The head must tell by
            ``views`` how many views its losses need, and its ``loss`` must take
            ``feature_maps``, as :class:`EACHead` does.

    Raises:
        TypeError: If the head does not know pairs.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.with_head and not hasattr(self.head, 'views'):
            name = type(self.head).__name__
            raise TypeError(
                f'EACClassifier trains on pairs of views, and {name} knows one view. '
                "Fix: model.head.type='EACHead', or model.type='ImageClassifier' with "
                f'a training pipeline of single images to train {name}.'
            )

    def extract_feat(
        self, inputs: Tensor | Sequence[Tensor], stage: str = 'neck'
    ) -> tuple[Tensor, ...] | Tensor:
        """Extract features of images, or of view 1 of pairs.

        Args:
            inputs: (N, 3, H, W), or two of them.
            stage: As of MMPretrain's ``ImageClassifier``. Defaults to ``'neck'``.
        """
        images = inputs[0] if isinstance(inputs, list | tuple) else inputs
        return super().extract_feat(images, stage)

    def loss(
        self, inputs: list[Tensor], data_samples: list[DataSample]
    ) -> dict[str, Tensor]:
        """Return the head's losses of a batch of pairs.

        Args:
            inputs: View 1 (classified) and view 2 (flipped), each (N, 3, H, W).
            data_samples: N samples with the noisy labels.

        Raises:
            ValueError: If there are not two views, or there are no maps of height and
                width.
        """
        if not isinstance(inputs, list | tuple) or len(inputs) != 2:
            raise ValueError(
                'EACClassifier trains on pairs of views and got one image a sample. '
                'Fix: pipeline=_base_.pair_pipeline in the recipe, or end your own '
                'training pipeline with dict(type="ErasingFlipPair"), '
                'dict(type="PackInputs"), and use '
                'data_preprocessor=dict(type="EACDataPreprocessor").'
            )
        views = list(inputs[: self.head.views])
        share = getattr(self.head, 'paired', 1)
        if len(views) == 2 and share < 1:
            views[1] = views[1][: max(1, round(share * len(views[1])))]
        maps, feats = zip(*map(self.maps_and_features, views), strict=True)
        return self.head.loss(feats, data_samples, feature_maps=maps)

    def feature_map(self, images: Tensor) -> Tensor:
        """Return the feature maps of a batch before pooling, (N, C, H, W)."""
        return self.maps_and_features(images)[0]

    def maps_and_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the feature maps of a batch and the features pooled from them.

        Args:
            images: (N, 3, H, W).

        Returns:
            Maps (N, C, H', W') and features (N, C).

        Raises:
            ValueError: If what is pooled has no height and width.
        """
        before, after = split_at_pooling(self.neck)
        output = self.extract_feat(images, stage='backbone')
        for layer in before:
            output = layer(output)
        maps = last_of(output)
        if not isinstance(maps, Tensor) or maps.dim() != 4:
            shape = tuple(maps.shape) if isinstance(maps, Tensor) else type(maps)
            raise ValueError(
                f'EAC needs feature maps of shape (N, C, H, W); '
                f'{type(self.backbone).__name__} gave {shape}. '
                f'Fix: {fix_of(self.backbone)}'
            )
        for layer in after:
            output = layer(output)
        return maps, last_of(output)


def split_at_pooling(
    neck: nn.Module | None,
) -> tuple[list[nn.Module], list[nn.Module]]:
    """Split a neck into the layers before the last pooling, and those from there on.

    A neck without a layer of :data:`POOLINGS` counts as one.
    """
    if neck is None:
        return [], []
    layers = list(neck) if isinstance(neck, nn.Sequential) else [neck]
    pools = [i for i, layer in enumerate(layers) if isinstance(layer, POOLINGS)]
    first = pools[-1] if pools else 0
    return layers[:first], layers[first:]


def last_of(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """Return the last of a layer's outputs, as MMPretrain's heads do."""
    return output[-1] if isinstance(output, list | tuple) else output


def fix_of(backbone: nn.Module) -> str:
    """Say how a backbone of MMPretrain returns feature maps."""
    if getattr(backbone, 'gap_before_final_norm', False):  # ConvNeXt
        return 'model.backbone.gap_before_final_norm=False'
    if hasattr(backbone, 'out_type'):  # VisionTransformer and its kin
        return 'model.backbone.out_type=featmap'
    if getattr(backbone, 'num_classes', -1) > 0:  # VGG, AlexNet
        return 'leave num_classes out of model.backbone'
    return 'choose a convolutional backbone, or have this one return its map.'
