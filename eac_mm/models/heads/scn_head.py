"""The head of the Self-Cure Network."""

import math
from collections.abc import Callable

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from ..relabelling import Relabelling

RELABEL = (None, 'low_importance', 'all')


@MODELS.register_module()
class SCNHead(LinearClsHead):
    """Weigh each sample's logits by its importance, and replace labels.

    `Suppressing Uncertainties for Large-Scale Facial Expression Recognition
    <https://arxiv.org/abs/2002.10392>`_ (Wang, Peng, Yang, Lu, Qiao, CVPR 2020). A
    layer gives each sample an importance in (0, 1), which scales its logits, the bias
    included. The loss is the cross-entropy of the scaled logits, plus a rank
    regularisation: the mean importance of the most important samples of a batch must
    be above that of the others by a margin. Later labels are replaced by confident
    predictions: see :class:`~eac_mm.models.Relabelling`.

    In testing the logits are scaled, too: the predicted class is that without scaling,
    and the confidence is another one. With several processes, each ranks its own
    samples. All of the head is computed in float32.

    Args:
        num_classes: Number of classes.
        in_channels: Width C of the pooled features.
        rank_margin: By how much the importance of the groups must differ, in [0, 1].
            Defaults to 0.15.
        beta: Share of a batch in the group of high importance, in (0, 1).
            Defaults to 0.7.
        relabel: Whose labels may be replaced: ``'low_importance'``, those of the other
            group, as in the paper; ``'all'``, as in the released code; or None, nobody.
            Defaults to ``'low_importance'``.
        relabel_margin: How much more probable than the present label the new one must
            be, in [0, 1). Defaults to 0.2.
        relabel_start: The first epoch that replaces labels, counted from 1.
            Defaults to 10.
        init_cfg: Initialisation. Defaults to None: ``nn.Linear``'s own, as in the
            released code.
        **kwargs: Further arguments of MMPretrain's ``LinearClsHead``.

    Attributes:
        recorder: Called with the scaled logits, if a
            :class:`~eac_mm.engine.TrainingRecorderHook` records; else None.

    Raises:
        ValueError: If an argument is out of its range.
    """

    recorder: Callable[..., None] | None = None

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        rank_margin: float = 0.15,
        beta: float = 0.7,
        relabel: str | None = 'low_importance',
        relabel_margin: float = 0.2,
        relabel_start: int = 10,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(
            num_classes=num_classes,
            in_channels=in_channels,
            init_cfg=init_cfg,
            **kwargs,
        )
        if not 0 <= rank_margin <= 1:
            raise ValueError(
                f'rank_margin={rank_margin}: importance is in (0, 1), and so a margin '
                'in [0, 1]. Fix: model.head.rank_margin=0.15'
            )
        if not 0 < beta < 1:
            raise ValueError(
                f'beta={beta}: it is the share of a batch in the group of high '
                'importance, in (0, 1). Fix: model.head.beta=0.7'
            )
        if relabel not in RELABEL:
            raise ValueError(
                f'relabel={relabel!r} is unknown. Fix: model.head.relabel, one of '
                f'{RELABEL}.'
            )
        self.rank_margin = rank_margin
        self.beta = beta
        self.relabel = relabel
        self.importance = nn.Linear(in_channels, 1)
        self.relabelling = None
        if relabel is not None:
            self.relabelling = Relabelling(relabel_margin, relabel_start)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the scaled logits, (N, num_classes), in float32."""
        return self.weigh(feats)[0]

    def weigh(self, feats: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Return the scaled logits (N, num_classes) and the importance (N,)."""
        features = self.pre_logits(feats)
        # Groups differ by hundredths of an importance; bfloat16 has steps of 1/256.
        with torch.autocast(features.device.type, enabled=False):
            features = features.float()
            importance = self.importance(features).sigmoid()
            return importance * self.fc(features), importance[:, 0]

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """Return classification and rank loss, and replace labels.

        Args:
            feats: Pooled features, the last of them (N, C).
            data_samples: N samples with the noisy labels and, unless ``relabel`` is
                None, ``sample_idx``.
            **kwargs: Further arguments of the classification loss.

        Returns:
            ``loss_cls`` and ``loss_rank``. Their sum is trained on. Accuracies on the
            labels trained on, if ``cal_acc`` is set.
        """
        logits, importance = self.weigh(feats)
        samples = data_samples
        if self.relabelling is not None:
            samples = self.relabelling.relabelled(data_samples)
        losses = self._get_loss(logits, samples, **kwargs)
        losses['loss_cls'] = losses.pop('loss')
        high, low = split_by_importance(importance.detach(), self.beta)
        losses['loss_rank'] = rank_loss(importance, high, low, self.rank_margin)
        if self.relabelling is not None:
            chosen = None
            if self.relabel == 'low_importance':
                chosen = torch.zeros_like(importance, dtype=torch.bool)
                chosen[low] = True
            self.relabelling.update(data_samples, logits.detach(), chosen)
        if self.recorder is not None:
            self.recorder(logits=[logits])
        return losses


def split_by_importance(importance: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """Return the indices of the samples of high and of low importance.

    Args:
        importance: (N,).
        beta: Share of high importance; their number is rounded down.

    Returns:
        Indices of both groups. None is in a group if one of them would be empty, as
        in a batch of one.
    """
    # 0.7 * 90 is a little less than 63 in floating point.
    size = math.floor(beta * len(importance) + 1e-9)
    order = importance.argsort(descending=True, stable=True)
    if not 0 < size < len(order):
        return order[:0], order[:0]
    return order[:size], order[size:]


def rank_loss(importance: Tensor, high: Tensor, low: Tensor, margin: float) -> Tensor:
    """Return max(0, margin - (mean of high - mean of low)), 0 for empty groups."""
    if not len(high):
        return importance.sum() * 0
    return (margin - importance[high].mean() + importance[low].mean()).relu()
