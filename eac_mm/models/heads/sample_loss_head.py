"""A linear head whose loss may remember each sample."""

from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor


class SampleLossMixin:
    """Tell the classification loss which samples it is given, if it asks for them.

    It asks by an attribute ``needs_samples``, and gets them as ``samples``.
    """

    def _get_loss(
        self, cls_score: Tensor, data_samples: list[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        if getattr(self.loss_module, 'needs_samples', False):
            kwargs['samples'] = data_samples
        return super()._get_loss(cls_score, data_samples, **kwargs)


@MODELS.register_module()
class SampleLossHead(SampleLossMixin, LinearClsHead):
    """Classify by one linear layer, with a loss that may remember each sample.

    It is MMPretrain's ``LinearClsHead`` for losses such as
    :class:`~eac_mm.models.losses.ELRLoss`. :class:`~eac_mm.models.EACHead` takes them
    too.

    Args:
        num_classes: Number of classes.
        in_channels: Channels of the pooled features.
        init_cfg: Initialisation. Defaults to None: ``nn.Linear``'s own.
        **kwargs: Further arguments of MMPretrain's ``LinearClsHead``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(
            num_classes=num_classes,
            in_channels=in_channels,
            init_cfg=init_cfg,
            **kwargs,
        )
