"""Generalised cross-entropy."""

from mmpretrain.registry import MODELS
from torch import Tensor

from .classification import ClassificationLoss


@MODELS.register_module()
class GCELoss(ClassificationLoss):
    r"""Lie between cross-entropy and the mean absolute error.

    `Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels
    <https://arxiv.org/abs/1805.07836>`_:

    .. math::
        L = \sum_c y_c \frac{1 - p_c^q}{q}

    A sample of which the network is unsure pulls less than in cross-entropy: its
    gradient is that of cross-entropy times :math:`p_y^q`. The truncated variant is not
    part of it.

    Args:
        q: Above 0 and at most 1. Towards 0 it is cross-entropy, at 1 the mean absolute
            error (halved). Defaults to 0.7.
        **kwargs: Of :class:`~eac_mm.models.losses.classification.ClassificationLoss`.

    Raises:
        ValueError: If q is out of range.
    """

    def __init__(self, q: float = 0.7, **kwargs) -> None:
        super().__init__(**kwargs)
        if not 0 < q <= 1:
            raise ValueError(
                f'GCELoss: q={q} is not in (0, 1]. Fix: 0.7, as in the paper; for '
                "plain cross-entropy type='CrossEntropyLoss'."
            )
        self.q = q

    def by_sample(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each sample, (N,)."""
        # By the logarithm: the slope of p ** q is infinite at 0.
        powers = (self.q * logits.log_softmax(1)).exp()
        return (target * (1 - powers)).sum(1) / self.q
