"""Sparse over-parameterisation."""

import torch
from mmpretrain.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from .target_bank import TargetBankLoss
from .views import ViewRows

SMALLEST = 1e-4


@MODELS.register_module()
class SOPLoss(TargetBankLoss):
    r"""Learn for each sample what is wrong with its label.

    `Robust Training under Label Noise by Over-parameterization
    <https://arxiv.org/abs/2202.14026>`_. Each sample has a number u and a number v for
    each class. :math:`U = u^2 y` and :math:`V = v^2 (1 - y)`, clipped to [0, 1], are
    what the noise took from the true class and gave to the label:

    .. math::
        L = \mathrm{CE}(y, \hat p) + \lVert \mathrm{onehot}(p) + U - V - y \rVert^2,
        \quad \hat p \propto \max(p + U - V, 10^{-4})

    V learns by the second term alone. u and v are the rows of the bank, in one tensor.
    They take a step of plain gradient descent on the mean loss of the batch whenever a
    batch has their sample, whatever optimiser the network has. From a small start they
    grow by a factor a step, so that a short training needs a larger start.

    SOP+ adds two terms. ``balance`` weighs the cross-entropy between equally frequent
    classes and the mean of :math:`\hat p`, ``consistency`` the divergence of the
    prediction of view 2 from that of view 1. The views come as the rows of one batch,
    all of view 1 first: ``EACHead(imbalanced=False)`` gives them so. The loss of a
    sample then stands in both of its rows.

    Args:
        num_classes: Number of classes.
        lr_u: Learning rate of u. Defaults to 1.0.
        lr_v: Learning rate of v. Defaults to 10.0, as u's that of the authors' code for
            CIFAR-100.
        start: What u and v are at first, above 0. Defaults to 1e-8.
        balance: Weight of the balance of classes. Defaults to 0.
        consistency: Weight of the consistency of two views. Defaults to 0: one view.
        **kwargs: Of :class:`~eac_mm.models.losses.classification.ClassificationLoss`.

    Raises:
        ValueError: If a setting is negative, ``start`` is 0, or the rows are not of two
            views; and as :class:`~eac_mm.models.losses.target_bank.TargetBankLoss`.
    """

    def __init__(
        self,
        num_classes: int,
        lr_u: float = 1.0,
        lr_v: float = 10.0,
        start: float = 1e-8,
        balance: float = 0.0,
        consistency: float = 0.0,
        **kwargs,
    ) -> None:
        super().__init__(width=1 + num_classes, fill=start, **kwargs)
        given = dict(lr_u=lr_u, lr_v=lr_v, balance=balance, consistency=consistency)
        for name, value in given.items():
            if value < 0:
                raise ValueError(f'SOPLoss: {name}={value}. Fix: give 0 or more.')
        if start <= 0:
            raise ValueError(
                f'SOPLoss: start={start}, and u and v cannot leave 0. Fix: give more '
                'than 0, such as 1e-8; 1e-2 for some 30 epochs.'
            )
        self.lr_u, self.lr_v = lr_u, lr_v
        self.balance, self.consistency = balance, consistency
        self.views = ViewRows(2 if consistency else 1)

    def by_sample(self, logits: Tensor, target: Tensor, indices: Tensor) -> Tensor:
        """Return the loss of each row, (N,)."""
        views, target = self.views.split(logits, target)
        indices = indices[: len(target)]
        rows = self.bank.read(indices).requires_grad_()
        log_p = views[0].log_softmax(1)
        loss, shifted = over_parameterised(log_p.exp(), target, rows)
        # The graph is the network's, which has yet to run backwards.
        (slope,) = torch.autograd.grad(loss.mean(), rows, retain_graph=True)
        steps = torch.cat((self.lr_u * slope[:, :1], self.lr_v * slope[:, 1:]), 1)
        self.bank.write(indices, rows.detach() - steps)
        if self.balance:
            loss = loss - self.balance * shifted.mean(0).log().mean()
        if self.consistency:
            other = views[1].log_softmax(1)
            divergence = F.kl_div(
                other, log_p.detach(), reduction='none', log_target=True
            )
            loss = loss + self.consistency * divergence.sum(1)
        return loss.repeat(len(views))


def over_parameterised(
    p: Tensor, target: Tensor, rows: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the loss of SOP without its additions, (N,), and p hat, (N, C).

    Args:
        p: Predicted probabilities, (N, C).
        target: One-hot labels, (N, C).
        rows: u and v of each sample, (N, 1 + C).
    """
    u, v = rows[:, :1], rows[:, 1:]
    gained = (u.square() * target).clamp(0, 1)
    lost = (v.square() * (1 - target)).clamp(0, 1)
    shifted = (p + gained - lost.detach()).clamp(min=SMALLEST)
    shifted = shifted / shifted.sum(1, keepdim=True)
    predicted = F.one_hot(p.argmax(1), p.shape[1])
    rest = predicted + gained - lost - target
    return -(target * shifted.log()).sum(1) + rest.square().sum(1), shifted
