"""The two-view classifier of Erasing Attention Consistency."""

from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor


@MODELS.register_module()
class EACClassifier(ImageClassifier):
    """Run the backbone on each view of a pair and hand both to the head.

    View 2 is left out where the head does not need it (``head.views``). The two
    views pass one after the other, so that each has its own batch
    statistics, as in the authors' code. In testing it is MMPretrain's
    ``ImageClassifier``, whose arguments it takes; the head must be an
    :class:`EACHead` or take its ``feature_maps``.
    """

    def loss(
        self, inputs: list[Tensor], data_samples: list[DataSample]
    ) -> dict[str, Tensor]:
        """Losses of a batch of pairs.

        Args:
            inputs: View 1 (classified) and view 2 (flipped), each (N, 3, H, W).
            data_samples: N samples with the given labels.

        Raises:
            ValueError: Where there are not two views, or the backbone gives no
                maps of height and width.
        """
        if not isinstance(inputs, list | tuple) or len(inputs) != 2:
            raise ValueError(
                'EACClassifier trains on pairs of views and got one image a sample. '
                'Mend: end the training pipeline with dict(type="ErasingFlipPair"), '
                'dict(type="PackInputs"), and use '
                'data_preprocessor=dict(type="EACDataPreprocessor").'
            )
        views = inputs[: self.head.views]
        feature_maps = tuple(self.feature_map(view) for view in views)
        feats = feature_maps
        if self.with_neck:
            feats = tuple(self.neck((maps,))[-1] for maps in feature_maps)
        return self.head.loss(feats, data_samples, feature_maps=feature_maps)

    def feature_map(self, images: Tensor) -> Tensor:
        """Last feature map of the backbone, (N, C, H, W).

        Raises:
            ValueError: Where the backbone's output has no height and width.
        """
        output = self.extract_feat(images, stage='backbone')
        features = output[-1] if isinstance(output, list | tuple) else output
        shape = tuple(features.shape) if isinstance(features, Tensor) else None
        if shape is None or len(shape) != 4:
            raise ValueError(
                f'EAC needs feature maps of shape (N, C, H, W); '
                f'{type(self.backbone).__name__} gave {shape or type(features)}. Mend: '
                'choose a convolutional backbone, or have a transformer return its '
                'map (out_type="featmap" in MMPretrain).'
            )
        return features
