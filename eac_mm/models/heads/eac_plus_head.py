"""EAC that weighs each label by how far the second view agrees with it."""

import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from ..sample_state import SampleState
from .eac_head import EACHead


@MODELS.register_module()
class EACPlusHead(EACHead):
    r"""Erasing Attention Consistency with labels weighed by view 2.

    View 2 carries no classification loss in EAC, so that the network hardly memorises
    wrong labels on it. Its probability p' of the label, averaged over the epochs, says
    how far the label can be trusted:

    .. math::
        t_i \leftarrow m t_i + (1 - m) p'_i(y_i),\quad
        w_i = \min(t_i^k / \overline{t^k}_{y_i}, w_{max})

    with :math:`\overline{t^k}_c` the mean over the training samples labelled c. The
    classification loss of a sample is multiplied by w, without gradient, from epoch
    ``start`` on. Within each class the weights are 1 on average but for the limit, so
    that rare classes, which the network doubts as a whole, lose nothing.

    Ours; not in the paper of EAC. In testing it is a plain linear head.

    Args:
        num_classes: Number of classes.
        in_channels: Channels of the feature maps before pooling.
        start: Epochs in which all weights are 1. Defaults to 5.
        momentum: The m, 0 or more and below 1. Defaults to 0.7.
        power: The k, above 0: how much trust counts. Defaults to 1.0.
        limit: Largest weight, 1 or more. Defaults to 5.0.
        **kwargs: Further arguments of :class:`EACHead`.

    Attributes:
        trust: t of each sample; NaN until its view 2 has been seen, which makes its
            weight 1.
        labels: The label of each sample, int64; -1 until its view 2 has been seen.

    Raises:
        ValueError: If a setting is out of range, or both views are to be classified.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        start: int = 5,
        momentum: float = 0.7,
        power: float = 1.0,
        limit: float = 5.0,
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, **kwargs)
        wrong = [
            f'{name}={value}. Fix: {fix}'
            for name, value, fine, fix in (
                ('start', start, start >= 0, 'give 0 epochs or more.'),
                ('momentum', momentum, 0 <= momentum < 1, '0.7'),
                ('power', power, power > 0, 'give more than 0, such as 1.0.'),
                ('limit', limit, limit >= 1, 'give 1 or more, such as 5.0.'),
                ('imbalanced', self.imbalanced, self.imbalanced, 'type="EACHead".'),
                (
                    'consistency_weight',
                    self.consistency_weight,
                    self.consistency_weight,
                    'give more than 0: without it view 2 is not made.',
                ),
            )
            if not fine
        ]
        if wrong:
            raise ValueError(f'EACPlusHead: {wrong[0]}')
        self.start, self.momentum = start, momentum
        self.power, self.limit = power, limit
        self.trust = SampleState(fill=torch.nan)
        self.labels = SampleState(dtype=torch.int64, fill=-1)

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
        indices = self.trust.indices(data_samples)
        self._see(feats[1], data_samples[: len(feats[1])], indices[: len(feats[1])])
        if self.trust.epoch >= self.start:
            kwargs['weight'] = self.weights()[indices]
        return super().loss(feats, data_samples, feature_maps, **kwargs)

    @torch.no_grad()
    def _see(
        self, feats: Tensor, data_samples: list[DataSample], indices: Tensor
    ) -> None:
        """Follow view 2's probability of the labels."""
        labels = torch.cat([sample.gt_label for sample in data_samples])
        labels = labels.to(indices.device)
        agreed = self((feats,)).float().softmax(1).gather(1, labels[:, None])[:, 0]
        old = self.trust.read(indices)
        old = torch.where(old.isnan(), agreed, old)
        self.trust.write(indices, old.lerp(agreed, 1 - self.momentum))
        self.labels.write(indices, labels)

    def weights(self) -> Tensor:
        """Return the weight of each training sample, float32 (samples,)."""
        trust, labels = self.trust.values**self.power, self.labels.values
        seen = labels >= 0
        # Row 0 takes the samples not seen yet; masks would wait for a GPU.
        sums = trust.new_zeros(2, self.num_classes + 1)
        sums[0].scatter_add_(0, labels + 1, torch.where(seen, trust, 0))
        sums[1].scatter_add_(0, labels + 1, seen.float())
        means = (sums[0] / sums[1])[labels + 1]
        return torch.where(seen, (trust / means).clamp(max=self.limit), 1)
