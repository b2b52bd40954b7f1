"""Cross-entropy that gives poorly predicted classes more weight."""

import torch
from mmengine.dist import all_reduce
from mmpretrain.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from .classification import ClassificationLoss


@MODELS.register_module()
class AdaptiveClassLoss(ClassificationLoss):
    """Weight the cross-entropy of a class by how poorly it is predicted.

    It stands in for the AdaReg loss of Adaptively Learning Facial Expression
    Representation via C-F Labels and Distillation (Li, Wang, Ding, Yang, Gao, IEEE
    Transactions on Image Processing 2021), whose abstract promises weights of the
    classes that adapt against imbalance. Its formula is not public; this one is ours.

    The confidence of a class is a moving average over steps of the mean probability
    p_y of its samples. A class of confidence q_c has the weight 1 - q_c, divided by the
    mean of that over the classes. A step's loss takes the weights from before it.
    Several processes average over the samples of all.

    Args:
        num_classes: Number of classes.
        momentum: Share of a confidence that a step keeps, in [0, 1]. Defaults to 0.99.
        **kwargs: Of :class:`~eac_mm.models.losses.classification.ClassificationLoss`.

    Attributes:
        confidence: That of each class, (num_classes,); 1 / num_classes at the start.
            A step without samples of a class leaves it. It is in checkpoints.

    Raises:
        ValueError: If ``momentum`` is out of range.
    """

    def __init__(self, num_classes: int, momentum: float = 0.99, **kwargs) -> None:
        super().__init__(**kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError(
                f'AdaptiveClassLoss: momentum={momentum} is not in [0, 1]. Fix: 0.99'
            )
        self.momentum = momentum
        start = torch.full((num_classes,), 1 / num_classes)
        self.register_buffer('confidence', start)

    def class_weights(self) -> Tensor:
        """Return the weight of each class, (num_classes,), of mean 1."""
        lacking = 1 - self.confidence
        # If all classes were certain, 0 would be divided by 0.
        return lacking / lacking.mean().clamp(min=1e-6)

    def by_sample(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each sample, (N,), and move the confidences."""
        weighted = target * self.class_weights()
        if self.training:
            self._learn(logits.detach().softmax(1), target)
        return F.cross_entropy(logits, weighted, reduction='none')

    @torch.no_grad()
    def _learn(self, probabilities: Tensor, target: Tensor) -> None:
        sums = torch.stack([(target * probabilities).sum(0), target.sum(0)])
        all_reduce(sums)
        total, count = sums
        mean = total / count.clamp(min=1e-6)
        moved = mean.lerp(self.confidence, self.momentum)
        self.confidence.copy_(torch.where(count > 0, moved, self.confidence))
