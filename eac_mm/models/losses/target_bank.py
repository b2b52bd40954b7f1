"""Losses that keep a row for each training sample."""

from mmpretrain.structures import DataSample
from torch import Tensor, nn

from ..sample_state import SampleState
from .classification import ClassificationLoss


class TargetBankLoss(ClassificationLoss):
    """Keep a row for each training sample, in a bank by ``sample_idx``.

    A subclass defines ``by_sample(logits, target, indices)``, and reads and writes the
    rows of ``indices`` there. The bank is a :class:`~eac_mm.models.SampleState`: it is
    in the checkpoint, and the same on all processes. A head that passes the samples on
    is needed: :class:`~eac_mm.models.heads.SampleLossHead` or
    :class:`~eac_mm.models.EACHead`.

    Args:
        width: Numbers in a row.
        fill: What they are at the start. Defaults to 0.
        **kwargs: Of :class:`~eac_mm.models.losses.classification.ClassificationLoss`.

    Attributes:
        bank: The rows, float32.

    Raises:
        ValueError: If the loss does not learn which samples it gets, or they are mixed.
    """

    needs_samples = True

    def __init__(self, width: int, fill: float = 0.0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.bank = SampleState((width,), fill=fill)

    def forward(
        self,
        cls_score: Tensor,
        target: Tensor,
        *args,
        samples: list[DataSample] | None = None,
        **kwargs,
    ) -> Tensor:
        """Return the loss of a batch, and change the rows of its samples.

        Args:
            cls_score: Logits, (N, C).
            target: Labels, (N,).
            *args: As of the base class.
            samples: The N samples.
            **kwargs: As of the base class.
        """
        indices = indices_of(self, self.bank, target, samples)
        return super().forward(cls_score, target, *args, indices=indices, **kwargs)


def indices_of(
    loss: nn.Module, bank: SampleState, target: Tensor, samples: list[DataSample] | None
) -> Tensor:
    """Return the places of a batch in a loss's bank, (N,).

    Args:
        loss: The loss, which errors name.
        bank: What it keeps.
        target: Labels, (N,).
        samples: The N samples, None if the head passes none on.

    Raises:
        ValueError: If the loss does not learn which samples it gets, or they are mixed.
    """
    name = type(loss).__name__
    if samples is None:
        raise ValueError(
            f'{name} keeps a row for each sample, and is not told which samples '
            "it gets. Fix: model.head.type='SampleLossHead', or EACHead."
        )
    if target.dim() > 1:
        raise ValueError(
            f'{name} keeps a row for each sample, and a mix of two is no sample. '
            'Fix: no batch augmentations (model.train_cfg.augments), or another '
            'loss.'
        )
    return bank.indices(samples)
