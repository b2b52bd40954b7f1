"""Symmetric cross-entropy."""

import math

from mmpretrain.registry import MODELS
from torch import Tensor

from .classification import ClassificationLoss, check_open_unit


@MODELS.register_module()
class SCELoss(ClassificationLoss):
    r"""Add the reverse cross-entropy, which bounds what a wrong label can ask for.

    `Symmetric Cross Entropy for Robust Learning with Noisy Labels
    <https://arxiv.org/abs/1908.06112>`_:

    .. math::
        L = \alpha \, \mathrm{CE}(y, p) + \beta \, \mathrm{RCE},\quad
        \mathrm{RCE} = -\sum_c p_c \log \max(y_c, \epsilon)

    Args:
        alpha: Weight of the cross-entropy, 0 or more. Defaults to 0.1.
        beta: Weight of the reverse cross-entropy, 0 or more. Defaults to 1.0.
        floor: The epsilon that stands for a label's zeros, whose logarithm is not
            finite. Defaults to 1e-4.
        **kwargs: Of :class:`~eac_mm.models.losses.classification.ClassificationLoss`.

    Raises:
        ValueError: If a weight is negative or both are 0, or the floor is not between
            0 and 1.
    """

    def __init__(
        self, alpha: float = 0.1, beta: float = 1.0, floor: float = 1e-4, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        if min(alpha, beta) < 0 or alpha == beta == 0:
            raise ValueError(
                f'SCELoss: alpha={alpha}, beta={beta}. Fix: give weights of 0 or more, '
                'not both 0, such as alpha=0.1, beta=1.0.'
            )
        check_open_unit('SCELoss: floor', floor, '1e-4, as in public code.')
        self.alpha, self.beta, self.log_floor = alpha, beta, math.log(floor)

    def by_sample(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each sample, (N,)."""
        log_p = logits.log_softmax(1)
        forward = -(target * log_p).sum(1)
        log_target = target.log().clamp(min=self.log_floor)
        reverse = -(log_p.exp() * log_target).sum(1)
        return self.alpha * forward + self.beta * reverse
