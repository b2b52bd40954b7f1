"""The head of Erasing Attention Consistency."""

from collections.abc import Callable

import numpy as np
import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from ..losses import attention_maps
from .sample_loss_head import SampleLossMixin


@MODELS.register_module()
class EACHead(SampleLossMixin, LinearClsHead):
    """Linear classifier whose attention must be consistent under a transform.

    `Learn From All: Erasing Attention Consistency for Noisy Label Facial
    Expression Recognition <https://arxiv.org/abs/2207.10299>`_, Eq. 1 to 4:
    cross-entropy on view 1, plus ``consistency_weight`` times the distance
    between the attention maps of view 1 and the flipped ones of view 2. As in the
    authors' code, the maps use the classifier's weight detached and leave its bias
    out: the consistency moves the features of both views, not the classifier. In
    testing it is a plain linear head.

    If the samples carry a ``view_affine``, as
    :class:`~eac_mm.datasets.AffinePair` gives it, view 2 was transformed by that
    matrix rather than flipped.

    Args:
        num_classes: Number of classes L.
        in_channels: Channels C of the feature maps before pooling.
        consistency_weight: Weight lambda of Eq. 4, 0 or more. The paper: 5 for
            ResNet-18; 10 for other backbones at 20 and 30 % noise. 0 leaves the
            consistency out (Table 3). Defaults to 5.0.
        imbalanced: Whether view 1 alone is classified, the paper's imbalanced
            framework. Without it (Table 3) both views are classified, by the mean of
            their cross-entropies, so that lambda weighs the same. Defaults to True.
        consistency: Config of the consistency loss. Defaults to
            ``dict(type='AttentionConsistencyLoss')``. If it has a method ``by_sample``,
            the attention disagreement can be recorded.
        init_cfg: Initialisation. Defaults to None: ``nn.Linear``'s own, as in
            the authors' code.
        paired: Share of each batch whose second view passes the network, above 0 and
            up to 1, at least one sample. The samples are the first of the batch, which
            is shuffled. 0.3 takes 1.3 backbone passes a sample instead of 2. Not in the
            paper. Defaults to 1.0.
        **kwargs: Further arguments of MMPretrain's ``LinearClsHead``.

    Attributes:
        ramp: Factor on ``consistency_weight``, in [0, 1]; 1 unless a
            :class:`~eac_mm.engine.ConsistencyRampHook` moves it.
        recorder: Called with the logits of each view and the attention disagreement of
            each sample, if a :class:`~eac_mm.engine.TrainingRecorderHook` records;
            else None.

    Raises:
        ValueError: If ``consistency_weight`` is negative, or ``paired`` out of range.
    """

    recorder: Callable[..., None] | None = None

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        consistency_weight: float = 5.0,
        imbalanced: bool = True,
        consistency: dict | None = None,
        init_cfg: dict | None = None,
        paired: float = 1.0,
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
                f'consistency_weight={consistency_weight}: allowed are 0 (plain '
                'cross-entropy) and more. Fix: model.head.consistency_weight=5.0'
            )
        if not 0 < paired <= 1:
            raise ValueError(
                f'paired={paired}: it is the share of a batch whose second view is '
                'used, above 0 and up to 1. Fix: model.head.paired=1.0, or '
                'model.head.consistency_weight=0 for no second view.'
            )
        self.consistency_weight = consistency_weight
        self.imbalanced = imbalanced
        self.paired = paired
        self.ramp = 1.0
        self.consistency_module = MODELS.build(
            consistency or dict(type='AttentionConsistencyLoss')
        )

    @property
    def views(self) -> int:
        """How many views of a pair the losses need, 1 or 2."""
        return 2 if self.consistency_weight or not self.imbalanced else 1

    @property
    def passes(self) -> float:
        """How often a sample passes the backbone in a training step, on average."""
        return 1 + self.paired * (self.views - 1)

    def loss(
        self,
        feats: tuple[Tensor, ...],
        data_samples: list[DataSample],
        feature_maps: tuple[Tensor, ...],
        **kwargs,
    ) -> dict[str, Tensor]:
        """Return classification and weighted consistency loss, Eq. 2 to 4.

        Args:
            feats: Pooled features of each view, (N, C); of view 2 those of the first
                samples alone, if ``paired`` is below 1.
            data_samples: N samples with the noisy labels.
            feature_maps: Feature maps of each view before pooling, (N, C, H, W);
                likewise.
            **kwargs: Further arguments of the classification loss.

        Returns:
            ``loss_cls`` and, unless its weight is 0, ``loss_consistency``. Their sum
            is trained on. Accuracies too, if ``cal_acc`` is set.

        Raises:
            ValueError: If the maps do not have the classifier's channels or have a
                single column, or if only some samples carry a ``view_affine``.
        """
        if self.imbalanced:
            classified = feats[:1], data_samples
        else:
            samples = [s for feat in feats for s in data_samples[: len(feat)]]
            classified = (torch.cat(feats),), samples
        losses = super().loss(*classified, **kwargs)
        losses['loss_cls'] = losses.pop('loss')
        disagreement = None
        if self.consistency_weight:
            consistency, disagreement = self._consistency(feature_maps, data_samples)
            losses['loss_consistency'] = consistency
        if self.recorder is not None:
            size = len(data_samples)
            self.recorder(
                logits=[filled(self((feat,)), size) for feat in feats],
                disagreement=None
                if disagreement is None
                else filled(disagreement, size),
            )
        return losses

    def _consistency(
        self, feature_maps: tuple[Tensor, Tensor], data_samples: list[DataSample]
    ) -> tuple[Tensor, Tensor | None]:
        """Return the weighted loss and, if it is recorded, that of each sample."""
        channels = feature_maps[0].shape[1]
        if channels != self.in_channels:
            raise ValueError(
                f'the feature maps have {channels} channels before pooling, and the '
                f'classifier takes {self.in_channels}: attention maps need its weight '
                'on them. Fix: leave out the layers between pooling and head, and set '
                f'model.head.in_channels={channels}'
            )
        # Differences of maps are small: they are taken in float32, whatever precision
        # the backbone ran in.
        with torch.autocast(feature_maps[0].device.type, enabled=False):
            weight = self.fc.weight.detach().float()
            pairs = len(feature_maps[1])
            maps = [attention_maps(f[:pairs].float(), weight) for f in feature_maps]
            affine = collect_affine(data_samples[:pairs])
            module = self.consistency_module
            consistency = module(*maps, affine=affine)
            disagreement = None
            if self.recorder is not None and hasattr(module, 'by_sample'):
                disagreement = module.by_sample(*maps, affine=affine)
        return self.consistency_weight * self.ramp * consistency, disagreement


def filled(rows: Tensor, size: int) -> Tensor:
    """Return rows (n, ...) as (size, ...); those that are missing are NaN."""
    missing = rows.new_full((size - len(rows), *rows.shape[1:]), torch.nan)
    return torch.cat([rows, missing]) if len(missing) else rows


def collect_affine(data_samples: list[DataSample]) -> Tensor | None:
    """Return the samples' ``view_affine`` as one tensor (N, 2, 3), None without any.

    Raises:
        ValueError: If some of the samples carry one and some do not.
    """
    affine = [sample.get('view_affine') for sample in data_samples]
    given = sum(matrix is not None for matrix in affine)
    if not given:
        return None
    if given < len(affine):
        raise ValueError(
            f'{given} of {len(affine)} samples carry a view_affine. Fix: make the '
            'second view of all samples by the same kind of transform.'
        )
    return torch.from_numpy(np.stack(affine))
