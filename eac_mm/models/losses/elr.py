"""Early-learning regularisation."""

from mmpretrain.registry import MODELS
from torch import Tensor

from .classification import check_open_unit
from .target_bank import TargetBankLoss

SMALLEST = 1e-4


@MODELS.register_module()
class ELRLoss(TargetBankLoss):
    r"""Hold predictions to what the network predicted before it memorised labels.

    `Early-Learning Regularization Prevents Memorization of Noisy Labels
    <https://arxiv.org/abs/2007.00151>`_:

    .. math::
        t_i \leftarrow \beta t_i + (1 - \beta) p_i,\quad
        L = \mathrm{CE}(y, p) + \lambda \log(1 - \langle t_i, p_i \rangle)

    t starts at 0, follows the predictions without gradient, and is updated before it
    is used. The second term is negative, and so may be the loss.

    Args:
        num_classes: Number of classes.
        beta: Momentum of the targets t, between 0 and 1. Defaults to 0.7.
        weight: Weight lambda of the regularisation. Defaults to 3.0.
        **kwargs: Of :class:`~eac_mm.models.losses.classification.ClassificationLoss`.

    Raises:
        ValueError: If a setting is out of range; and as
            :class:`~eac_mm.models.losses.target_bank.TargetBankLoss`.
    """

    def __init__(
        self, num_classes: int, beta: float = 0.7, weight: float = 3.0, **kwargs
    ) -> None:
        super().__init__(width=num_classes, **kwargs)
        check_open_unit('ELRLoss: beta', beta, '0.7; 0.9 for 100 classes.')
        if weight < 0:
            raise ValueError(f'ELRLoss: weight={weight}. Fix: give 0 or more.')
        self.beta, self.weight = beta, weight

    def by_sample(self, logits: Tensor, target: Tensor, indices: Tensor) -> Tensor:
        """Return the loss of each sample, (N,)."""
        log_p = logits.log_softmax(1)
        p = log_p.exp().clamp(SMALLEST, 1 - SMALLEST)
        early = self.bank.read(indices)
        early = early.lerp((p / p.sum(1, keepdim=True)).detach(), 1 - self.beta)
        self.bank.write(indices, early)
        agreement = (early * p).sum(1)
        return -(target * log_p).sum(1) + self.weight * (1 - agreement).log()
