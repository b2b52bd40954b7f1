"""A teacher in the manner of KTN: a coarse and a fine stream."""

import copy
from typing import Any

from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class KTNTeacher(ImageClassifier):
    """Give the head the features of a coarse and of a fine stream.

    **In the manner of** KTN (Li, Wang, Ding, Yang, Gao: Adaptively Learning Facial
    Expression Representation via C-F Labels and Distillation, IEEE Transactions on
    Image Processing 2021). Where its streams part is not public. Here they share all
    stages of the backbone but the last one, which each has for itself. Both start
    alike: after initialisation, and from a file that holds one backbone
    (``load_from``).

    Args:
        *args: As of MMPretrain's ``ImageClassifier``.
        **kwargs: As of MMPretrain's ``ImageClassifier``. The backbone is a ResNet
            that returns its last two stages (``out_indices=(2, 3)``), and the head
            takes both streams, as :class:`~eac_mm.models.heads.CoarseFineHead` does.

    Attributes:
        coarse_stage: The coarse stream's last stage.

    Raises:
        ValueError: If the backbone does not return its last two stages.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        layers = getattr(self.backbone, 'res_layers', [])
        returned = getattr(self.backbone, 'out_indices', ())
        if tuple(returned) != (len(layers) - 2, len(layers) - 1):
            raise ValueError(
                f'KTNTeacher repeats the last stage of a ResNet, and '
                f'{type(self.backbone).__name__} has the stages {list(layers)} and '
                f'returns {tuple(returned)}. Fix: model.backbone.out_indices=(2, 3)'
            )
        self._last = layers[-1]
        self.coarse_stage = copy.deepcopy(self._fine_stage)
        self._register_load_state_dict_pre_hook(self._fill_coarse_stage)

    @property
    def _fine_stage(self) -> nn.Module:
        return getattr(self.backbone, self._last)

    def init_weights(self) -> None:
        """Initialise the network, and start both streams alike."""
        super().init_weights()
        if (self.init_cfg or {}).get('type') != 'Pretrained':
            self.coarse_stage.load_state_dict(self._fine_stage.state_dict())

    def _fill_coarse_stage(
        self, weights: dict[str, Tensor], prefix: str, *_: Any
    ) -> None:
        """Let the coarse stream start from a file's last stage, if it has none."""
        ours, theirs = f'{prefix}coarse_stage.', f'{prefix}backbone.{self._last}.'
        if any(key.startswith(ours) for key in weights):
            return
        for key in [key for key in weights if key.startswith(theirs)]:
            weights[ours + key.removeprefix(theirs)] = weights[key]

    def extract_feat(
        self, inputs: Tensor, stage: str = 'neck'
    ) -> tuple[Tensor, ...] | Tensor:
        """Return the coarse and the fine stream's maps or features.

        Args:
            inputs: (N, 3, H, W).
            stage: ``'backbone'`` for the maps, ``'neck'`` for the pooled features, or
                ``'pre_logits'`` for those of the fine stream.
        """
        shared, fine = super().extract_feat(inputs, 'backbone')
        feats = (self.coarse_stage(shared), fine)
        if stage == 'backbone':
            return feats
        feats = self.neck(feats)
        return feats if stage == 'neck' else self.head.pre_logits(feats)
