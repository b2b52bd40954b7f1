"""Logit adjustment, for classes of very different size."""

import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from ..sample_state import SampleState
from .target_bank import indices_of


@MODELS.register_module()
class LogitAdjustedLoss(nn.Module):
    r"""Train any loss on logits to which the frequency of each class is added.

    `Long-tail learning via logit adjustment <https://arxiv.org/abs/2007.07314>`_,
    Eq. 10. With :math:`f(x)` the logits and :math:`\pi` the share of each class among
    the training labels, the loss sees

    .. math::
        f(x) + \tau \log \pi

    The network then need not raise frequent classes itself, and in testing, where
    nothing is added, rare classes win more often: mean class accuracy gains, accuracy
    may lose. The shares are counted on the labels trained on, wrong ones included,
    each sample once, as far as samples have been seen, and one is added to each count.
    A head that passes the samples on is needed:
    :class:`~eac_mm.models.heads.SampleLossHead` or :class:`~eac_mm.models.EACHead`.

    Args:
        num_classes: Number of classes C.
        tau: Strength; 0 leaves the logits as they are, 1 aims at the mean class
            accuracy. Defaults to 1.0.
        loss: Config of the loss that is trained. Defaults to None: cross-entropy.

    Attributes:
        labels: The label of each sample, int64; -1 until it has been seen.

    Shape:
        - cls_score: logits, (N, C)
        - target: labels, (N,)
        - output: as of the inner loss

    Raises:
        ValueError: If ``tau`` is negative, the loss does not learn which samples it
            gets, or they are mixed.
    """

    needs_samples = True

    def __init__(
        self, num_classes: int, tau: float = 1.0, loss: dict | None = None
    ) -> None:
        super().__init__()
        if tau < 0:
            raise ValueError(
                f'LogitAdjustedLoss: tau={tau}. Fix: give 0 or more, such as 1.0.'
            )
        self.num_classes, self.tau = num_classes, tau
        self.loss = MODELS.build(loss or dict(type='CrossEntropyLoss'))
        self.labels = SampleState(dtype=torch.int64, fill=-1)

    def forward(
        self,
        cls_score: Tensor,
        target: Tensor,
        *args,
        samples: list[DataSample] | None = None,
        **kwargs,
    ) -> Tensor:
        """Return the loss of a batch, and remember its labels.

        Args:
            cls_score: Logits, (N, C).
            target: Labels, (N,).
            *args: Passed to the inner loss.
            samples: The N samples.
            **kwargs: Passed to the inner loss.
        """
        self.labels.write(indices_of(self, self.labels, target, samples), target)
        if getattr(self.loss, 'needs_samples', False):
            kwargs['samples'] = samples
        adjusted = cls_score.float() + self.tau * self.class_shares().log()
        return self.loss(adjusted, target, *args, **kwargs)

    def class_shares(self) -> Tensor:
        """Return the share of each class among the labels seen so far, float32 (C,)."""
        # Row 0 counts the samples not seen yet. bincount would wait for a GPU.
        rows = self.labels.values + 1
        counts = rows.new_zeros(self.num_classes + 1)
        counts = counts.scatter_add_(0, rows, torch.ones_like(rows))[1:] + 1
        return counts / counts.sum()
