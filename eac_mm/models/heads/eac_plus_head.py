"""EAC that weighs each label by how far the second view agrees with it."""

import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from ..sample_state import SampleState
from .eac_head import EACHead

SMALLEST = 1e-6  # 0 stands for samples that have not been seen


@MODELS.register_module()
class EACPlusHead(EACHead):
    r"""Erasing Attention Consistency with labels weighed by view 2.

    View 2 carries no classification loss in EAC, so that the network hardly memorises
    wrong labels on it. How far its prediction p' agrees with the label, averaged over
    the epochs, says how far the label can be trusted:

    .. math::
        a_i \leftarrow m a_i + (1 - m) \frac{p'_i(y_i)}{\max_c p'_i(c)},\quad
        w_i = a_i / \bar a

    with :math:`\bar a` the mean over the training samples. a is 1 if the label is what
    view 2 predicts, however unsure it is. From epoch ``start`` on, the classification
    loss of a sample is multiplied by w, without gradient.

    Ours; not in the paper of EAC. In testing it is a plain linear head.

    Args:
        num_classes: Number of classes.
        in_channels: Channels of the feature maps before pooling.
        start: Epochs in which all weights are 1. Defaults to 5.
        momentum: The m, 0 or more and below 1. Defaults to 0.7.
        **kwargs: Further arguments of :class:`EACHead`.

    Attributes:
        agreement: a of each sample, above 0 and up to 1; 0 until its view 2 has been
            seen, which makes its weight 1.

    Raises:
        ValueError: If a setting is out of range, both views are to be classified, or
            there is no consistency, without which view 2 is not made.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        start: int = 5,
        momentum: float = 0.7,
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        if start < 0:
            raise ValueError(f'EACPlusHead: start={start}. Fix: give 0 epochs or more.')
        if not 0 <= momentum < 1:
            raise ValueError(
                f'EACPlusHead: momentum={momentum}. Fix: give 0 or more and less than '
                '1, such as 0.7.'
            )
        if not self.imbalanced or not self.consistency_weight:
            raise ValueError(
                'EACPlusHead needs a view 2 that is not classified, and got '
                f'imbalanced={self.imbalanced} and consistency_weight='
                f"{self.consistency_weight}. Fix: model.head.type='EACHead'"
            )
        self.start, self.momentum = start, momentum
        self.agreement = SampleState()

    def loss(
        self,
        feats: tuple[Tensor, ...],
        data_samples: list[DataSample],
        feature_maps: tuple[Tensor, ...],
        **kwargs,
    ) -> dict[str, Tensor]:
        """Return EAC's losses, with the classification weighed; see :class:`EACHead`.

        Raises:
            ValueError: As :class:`EACHead`, or if samples carry no ``sample_idx``.
        """
        indices = self.agreement.indices(data_samples)
        self._see(feats[1], data_samples[: len(feats[1])], indices[: len(feats[1])])
        if self.agreement.epoch >= self.start:
            kwargs['weight'] = self.weights()[indices]
        return super().loss(feats, data_samples, feature_maps, **kwargs)

    @torch.no_grad()
    def _see(
        self, feats: Tensor, data_samples: list[DataSample], indices: Tensor
    ) -> None:
        """Follow how far view 2 agrees with the labels."""
        labels = torch.cat([sample.gt_label for sample in data_samples])
        labels = labels.to(indices.device)[:, None]
        log_p = self((feats,)).float().log_softmax(1)
        now = (log_p.gather(1, labels)[:, 0] - log_p.amax(1)).exp().clamp(SMALLEST)
        old = self.agreement.read(indices)
        old = torch.where(old == 0, now, old)
        self.agreement.write(indices, old.lerp(now, 1 - self.momentum))

    def weights(self) -> Tensor:
        """Return the weight of each training sample, float32 (samples,)."""
        agreement = self.agreement.values
        seen = agreement != 0
        mean = agreement.sum() / seen.sum()
        return torch.where(seen, agreement / mean, 1)
