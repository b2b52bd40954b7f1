"""A classifier of two networks that teach each other."""

from collections.abc import Callable
from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from ..labels import single_labels

# Probabilities have at least this, so that their logarithm is finite.
TINY = torch.finfo(torch.float32).tiny


class TwoNetworkClassifier(ImageClassifier):
    """Hold two networks of the same kind, and predict by the mean of both.

    A subclass defines ``loss``. The second network is ``backbone2``, ``neck2`` and
    ``head2``; it has its own random initialisation, and ``load_from`` fills its
    backbone as it does the first. The networks share no parameter, so that one
    optimiser trains each as if it were alone. Features and attention maps are those of
    the first network.

    Args:
        backbone: Config of each network's backbone.
        neck: Config of each network's neck.
        head: Config of each network's head.
        **kwargs: Further arguments of MMPretrain's ``ImageClassifier``.

    Attributes:
        passes: How often a sample passes a backbone in a training step, both networks
            counted, to estimate costs.
        recorder: Called with logits of the first network for each view, if a
            :class:`~eac_mm.engine.TrainingRecorderHook` records; else None.
    """

    passes = 2.0
    recorder: Callable[..., None] | None = None

    def __init__(
        self, backbone: dict, neck: dict | None, head: dict, **kwargs: Any
    ) -> None:
        super().__init__(backbone=backbone, neck=neck, head=head, **kwargs)
        self.backbone2 = MODELS.build(backbone)
        self.neck2 = None if neck is None else MODELS.build(neck)
        self.head2 = MODELS.build(head)
        loss = self.head.loss_module
        if getattr(loss, 'needs_samples', False):
            raise ValueError(
                f'{type(self).__name__} compares the losses of samples, and '
                f'{type(loss).__name__} remembers something of each. Fix: '
                "model.head.loss=dict(type='CrossEntropyLoss')"
            )

    def forward(
        self,
        inputs: Tensor | list[Tensor],
        data_samples: list[DataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Return losses, predictions or, as ``'tensor'``, scores; see ``scores``."""
        if mode == 'tensor':
            return self.scores(inputs)
        return super().forward(inputs, data_samples, mode)

    def predict(
        self,
        inputs: Tensor,
        data_samples: list[DataSample] | None = None,
        **kwargs: Any,
    ) -> list[DataSample]:
        """Predict by the mean of both networks' probabilities."""
        return self.head._get_predictions(self.scores(inputs), data_samples, **kwargs)

    def scores(self, images: Tensor) -> Tensor:
        """Return the logarithm of the mean of both networks' probabilities, (N, C).

        Its softmax is that mean.
        """
        return mean_probability(self.logits_of_both(images)).log()

    def logits_of_both(self, images: Tensor) -> list[Tensor]:
        """Return the logits of each network, (N, C)."""
        return [self.logits_of(number, images) for number in (0, 1)]

    def logits_of(self, number: int, images: Tensor) -> Tensor:
        """Return the logits of network 0 or 1, (N, C)."""
        backbone, neck, head = self.parts_of(number)
        feats = backbone(images)
        return head(feats if neck is None else neck(feats))

    def parts_of(self, number: int) -> tuple[nn.Module, nn.Module | None, nn.Module]:
        """Return backbone, neck and head of network 0 or 1."""
        if number == 0:
            return self.backbone, self.neck, self.head
        return self.backbone2, self.neck2, self.head2

    def losses_by_sample(self, logits: list[Tensor], labels: Tensor) -> list[Tensor]:
        """Return the classification loss of each sample under each network, (N,)."""
        modules = self.head.loss_module, self.head2.loss_module
        return [
            module(scores, labels, reduction_override='none')
            for module, scores in zip(modules, logits, strict=True)
        ]


def mean_probability(logits: list[Tensor]) -> Tensor:
    """Return the mean of the probabilities that several logits stand for."""
    probabilities = [scores.float().softmax(1) for scores in logits]
    return torch.stack(probabilities).mean(0).clamp(min=TINY)


def noisy_labels(data_samples: list[DataSample]) -> Tensor:
    """Return the noisy labels of a batch, (N,).

    Raises:
        ValueError: If samples have been mixed, and so have no label.
    """
    return single_labels(
        data_samples,
        'two networks that teach each other compare losses of samples, and a mix of '
        'two is no sample. Fix: no batch augmentations (model.train_cfg.augments).',
    )
