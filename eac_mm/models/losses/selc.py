"""Self-ensemble label correction."""

import torch
from mmpretrain.registry import MODELS
from torch import Tensor

from .classification import check_open_unit
from .target_bank import TargetBankLoss


@MODELS.register_module()
class SELCLoss(TargetBankLoss):
    r"""Replace labels slowly by the mean of past predictions.

    `SELC: Self-Ensemble Label Correction Improves Learning with Noisy Labels
    <https://arxiv.org/abs/2205.01156>`_. Cross-entropy with soft labels that start as
    the noisy ones. After some epochs they follow the predictions without gradient,
    before they are used:

    .. math::
        y_i \leftarrow m y_i + (1 - m) p_i

    Args:
        num_classes: Number of classes.
        warm_up: Epochs in which labels stay; it should end before the network
            memorises.
        momentum: The m, between 0 and 1. Defaults to 0.9.
        **kwargs: Of :class:`~eac_mm.models.losses.classification.ClassificationLoss`.

    Raises:
        ValueError: If a setting is out of range; and as
            :class:`~eac_mm.models.losses.target_bank.TargetBankLoss`.
    """

    def __init__(
        self, num_classes: int, warm_up: int, momentum: float = 0.9, **kwargs
    ) -> None:
        super().__init__(width=num_classes, **kwargs)
        check_open_unit('SELCLoss: momentum', momentum, '0.9')
        if warm_up < 0:
            raise ValueError(
                f'SELCLoss: warm_up={warm_up}. Fix: give 0 epochs or more.'
            )
        self.warm_up, self.momentum = warm_up, momentum

    def by_sample(self, logits: Tensor, target: Tensor, indices: Tensor) -> Tensor:
        """Return the loss of each sample, (N,)."""
        log_p = logits.log_softmax(1)
        if self.bank.epoch >= self.warm_up:
            old = self.bank.read(indices)
            # A row of zeros has not been written yet.
            old = torch.where(old.any(1, keepdim=True), old, target)
            target = old.lerp(log_p.detach().exp(), 1 - self.momentum)
            self.bank.write(indices, target)
        return -(target * log_p).sum(1)
