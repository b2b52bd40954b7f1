"""Generalised Jensen-Shannon divergence."""

import math

from mmpretrain.registry import MODELS
from torch import Tensor

from .classification import ClassificationLoss, check_open_unit
from .views import ViewRows

SMALLEST = 1e-7


@MODELS.register_module()
class GJSLoss(ClassificationLoss):
    r"""Compare the label and the predictions of one or two views with their mean.

    `Generalized Jensen-Shannon Divergence Loss for Learning with Noisy Labels
    <https://arxiv.org/abs/2105.04522>`_. With weights :math:`\pi_1` of the label and
    :math:`\pi_v` of each view's prediction, which sum to 1:

    .. math::
        L = \frac{H(m) - \pi_1 H(y) - \sum_v \pi_v H(p_v)}
        {-(1 - \pi_1) \log(1 - \pi_1)},\quad m = \pi_1 y + \sum_v \pi_v p_v

    It is bounded, and also asks for equal predictions of the views. Two views come as
    the rows of one batch, all of view 1 before all of view 2:
    ``EACHead(imbalanced=False)`` gives them so. The loss of a sample then stands in
    both of its rows.

    Args:
        label_weight: :math:`\pi_1`, between 0 and 1; the views share the rest equally.
            Towards 0 it is like cross-entropy, towards 1 like the mean absolute error.
            Defaults to 0.3.
        views: 1 (the Jensen-Shannon loss of any head) or 2. Defaults to 2.
        **kwargs: Of :class:`~eac_mm.models.losses.classification.ClassificationLoss`.

    Raises:
        ValueError: If a setting is out of range, or the rows are not of so many views.
    """

    def __init__(self, label_weight: float = 0.3, views: int = 2, **kwargs) -> None:
        super().__init__(**kwargs)
        check_open_unit('GJSLoss: label_weight', label_weight, '0.3')
        self.label_weight = label_weight
        self.rows = ViewRows(views)
        rest = 1 - label_weight
        self.scale = -rest * math.log(rest)

    def by_sample(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each row, (N,)."""
        views, target = self.rows.split(logits, target)
        share = (1 - self.label_weight) / len(views)
        mean = self.label_weight * target
        divergence = -self.label_weight * entropy(target)
        for view in views:
            log_p = view.log_softmax(1)
            p = log_p.exp()
            mean = mean + share * p
            divergence = divergence + share * (p * log_p).sum(1)
        divergence = divergence + entropy(mean)
        return (divergence / self.scale).repeat(len(views))


def entropy(p: Tensor) -> Tensor:
    """Return the entropy of distributions (N, C) in nats, (N,); zeros add nothing."""
    return -(p * p.clamp(min=SMALLEST).log()).sum(1)
