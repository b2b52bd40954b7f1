"""What losses of single samples share: targets, precision and reduction."""

import torch
from mmpretrain.models.losses.utils import weight_reduce_loss
from torch import Tensor, nn
from torch.nn import functional as F

REDUCTIONS = ('none', 'mean', 'sum')


class ClassificationLoss(nn.Module):
    """Compute a loss for each sample in float32, and reduce it as MMPretrain does.

    A subclass defines :meth:`by_sample`.

    Args:
        reduction: ``'none'``, ``'mean'`` or ``'sum'``. Defaults to ``'mean'``.
        loss_weight: Factor on the loss. Defaults to 1.0.

    Shape:
        - cls_score: logits, (N, C)
        - target: labels (N,), or their distribution over the classes (N, C)
        - output: scalar, or (N,) without reduction

    Raises:
        ValueError: If the reduction is unknown, or logits and target do not fit.
    """

    def __init__(self, reduction: str = 'mean', loss_weight: float = 1.0) -> None:
        super().__init__()
        if reduction not in REDUCTIONS:
            raise ValueError(
                f'reduction={reduction!r}. Fix: choose one of {REDUCTIONS}.'
            )
        self.reduction = reduction
        self.loss_weight = loss_weight

    def forward(
        self,
        cls_score: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        **kwargs,
    ) -> Tensor:
        """Return the loss of a batch.

        Args:
            cls_score: Logits.
            target: Labels, or distributions.
            weight: Factor on the loss of each sample, (N,). Defaults to None.
            avg_factor: What the sum is divided by in a mean. Defaults to None: N.
            reduction_override: Reduction in place of ``reduction``.
            **kwargs: Passed to :meth:`by_sample`.
        """
        # Logarithms of small probabilities need float32, whatever the network ran in.
        with torch.autocast(cls_score.device.type, enabled=False):
            logits = cls_score.float()
            loss = self.by_sample(logits, distribution(target, logits), **kwargs)
            return self.loss_weight * weight_reduce_loss(
                loss, weight, reduction_override or self.reduction, avg_factor
            )

    def by_sample(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each sample, (N,).

        Args:
            logits: float32, (N, C).
            target: float32 distributions, (N, C).
        """
        raise NotImplementedError


def distribution(target: Tensor, logits: Tensor) -> Tensor:
    """Return labels (N,) one-hot, and distributions (N, C) as they are, in float32.

    Raises:
        ValueError: If the target has neither shape.
    """
    if target.shape == logits.shape[:1]:
        return F.one_hot(target.long(), logits.shape[1]).float()
    if target.shape == logits.shape:
        return target.float()
    raise ValueError(
        f'logits of shape {tuple(logits.shape)} and a target of shape '
        f'{tuple(target.shape)}. Fix: give labels of shape {tuple(logits.shape[:1])}, '
        f'or distributions of shape {tuple(logits.shape)}.'
    )


def check_open_unit(name: str, value: float, fix: str) -> None:
    """Refuse a setting that is not between 0 and 1.

    Raises:
        ValueError: If it is 0, 1 or beyond.
    """
    if not 0 < value < 1:
        raise ValueError(f'{name}={value} is not between 0 and 1. Fix: {fix}')
