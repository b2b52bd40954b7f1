"""The head of Erasing Attention Consistency."""

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from ..losses import attention_maps


@MODELS.register_module()
class EACHead(LinearClsHead):
    """Linear classifier whose attention must be consistent under a flip.

    `Learn From All: Erasing Attention Consistency for Noisy Label Facial
    Expression Recognition <https://arxiv.org/abs/2207.10299>`_, Eq. 1 to 4:
    cross-entropy on view 1, plus ``consistency_weight`` times the distance
    between the attention maps of view 1 and the flipped ones of view 2. The
    maps use the classifier's weight detached and leave its bias out, as the
    authors' code: the consistency moves the features of both views, not the
    classifier. In testing it is a plain linear head.

    Args:
        num_classes: Number of classes L.
        in_channels: Channels C of the last feature map.
        consistency_weight: Weight lambda of Eq. 4, 0 or more. The paper: 5 for
            ResNet-18; 10 for other backbones at 20 and 30 % noise. Defaults to
            5.0.
        consistency: Config of the consistency loss. Defaults to
            ``dict(type='AttentionConsistencyLoss')``.
        init_cfg: Initialisation. Defaults to None: ``nn.Linear``'s own, as in
            the authors' code.
        **kwargs: Further arguments of MMPretrain's ``LinearClsHead``.

    Attributes:
        ramp: Factor on ``consistency_weight``, in [0, 1]; 1 unless a
            :class:`~eac_mm.engine.ConsistencyRampHook` moves it.

    Raises:
        ValueError: For a negative weight.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        consistency_weight: float = 5.0,
        consistency: dict | None = None,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(
            num_classes=num_classes,
            in_channels=in_channels,
            init_cfg=init_cfg,
            **kwargs,
        )
        if consistency_weight < 0:
            raise ValueError(
                f'consistency_weight={consistency_weight}: give 0 (plain '
                'cross-entropy) or more.'
            )
        self.consistency_weight = consistency_weight
        self.ramp = 1.0
        self.consistency_module = MODELS.build(
            consistency or dict(type='AttentionConsistencyLoss')
        )

    def loss(
        self,
        feats: tuple[Tensor],
        data_samples: list[DataSample],
        feature_maps: tuple[Tensor, Tensor],
        **kwargs,
    ) -> dict[str, Tensor]:
        """Classification and weighted consistency, Eq. 2 to 4.

        Args:
            feats: Pooled features of view 1; the last is used, (N, C).
            data_samples: Samples with the given labels.
            feature_maps: Last feature maps of view 1 and of view 2, each
                (N, C, H, W).
            **kwargs: Further arguments of the classification loss.

        Returns:
            ``loss_cls`` and ``loss_consistency``, whose sum is trained on, and
            accuracies where ``cal_acc`` asks for them.
        """
        losses = super().loss(feats, data_samples, **kwargs)
        losses['loss_cls'] = losses.pop('loss')
        # Differences of maps are small: they are taken in float32 whatever
        # precision the backbone ran in.
        with torch.autocast(feats[-1].device.type, enabled=False):
            weight = self.fc.weight.detach().float()
            maps, flipped = (attention_maps(f.float(), weight) for f in feature_maps)
            consistency = self.consistency_module(maps, flipped)
        losses['loss_consistency'] = self.consistency_weight * self.ramp * consistency
        return losses
