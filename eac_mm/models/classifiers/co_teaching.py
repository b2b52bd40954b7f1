"""Co-teaching."""

from typing import Any

from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from ..epochs import known_epoch
from .two_networks import TwoNetworkClassifier, noisy_labels


@MODELS.register_module()
class CoTeaching(TwoNetworkClassifier):
    """Train each of two networks on the samples that the other one finds easy.

    `Co-teaching: Robust Training of Deep Neural Networks with Extremely Noisy Labels
    <https://arxiv.org/abs/1804.06872>`_. Of each batch, a network trains on those
    samples alone whose loss under the other network is smallest. Their share falls
    from 1 to ``1 - forget_rate`` over the first epochs; at least one sample is kept.
    With several processes, each chooses among its own samples.

    The loss of the heads is taken (``model.head.loss``), cross-entropy by default.

    Args:
        forget_rate: Share that is left out in the end, in [0, 1): the noise rate, which
            must be known.
        ramp_epochs: Epochs in which the share falls, more than 0. Defaults to 10.
        **kwargs: Of
            :class:`~eac_mm.models.classifiers.two_networks.TwoNetworkClassifier`.

    Attributes:
        epoch: Set by a :class:`~eac_mm.engine.CurrentEpochHook`, which training needs;
            from 0.

    Raises:
        ValueError: If a setting is out of range, samples are mixed, or the epoch is not
            known.
    """

    epoch: int | None = None

    def __init__(
        self, *args: Any, forget_rate: float, ramp_epochs: float = 10, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not 0 <= forget_rate < 1:
            raise ValueError(
                f'forget_rate={forget_rate} is not in [0, 1). Fix: give the noise '
                'rate, such as model.forget_rate=0.3'
            )
        if ramp_epochs <= 0:
            raise ValueError(f'ramp_epochs={ramp_epochs}. Fix: give more than 0.')
        self.forget_rate, self.ramp_epochs = forget_rate, ramp_epochs

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the loss of each network on what the other one has chosen.

        Args:
            inputs: Images, (N, 3, H, W).
            data_samples: N samples with the noisy labels.
        """
        epoch = known_epoch(self, 'model.epoch')
        logits = self.logits_of_both(inputs)
        if self.recorder is not None:
            self.recorder(logits=logits[:1])
        losses = self.losses_by_sample(logits, noisy_labels(data_samples))
        ramp = min(1.0, epoch / self.ramp_epochs)
        forgotten = int(self.forget_rate * ramp * len(losses[0]))
        kept = max(1, len(losses[0]) - forgotten)
        easy = [loss.detach().argsort(stable=True)[:kept] for loss in losses]
        return dict(
            loss_first=losses[0][easy[1]].mean(), loss_second=losses[1][easy[0]].mean()
        )
