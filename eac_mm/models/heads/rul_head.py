"""The head of Relative Uncertainty Learning."""

from collections.abc import Callable

import torch
from mmpretrain.models.heads import ClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from ..relabelling import Relabelling
from .feature_maps import check_batch, last_map


@MODELS.register_module()
class RULHead(ClsHead):
    """Classify features mixed by the uncertainty of their samples.

    Relative Uncertainty Learning for Facial Expression Recognition (Zhang, Wang, Deng,
    NeurIPS 2021). One branch gives the features mu of a sample, another one its
    uncertainty sigma. The features of random pairs are mixed, each by its share of the
    pair's uncertainty, and the mix must be classified as both labels: the loss is the
    mean of the two cross-entropies. So the network lowers its loss by calling the
    harder sample of a pair more uncertain. In testing it is the classifier of mu; the
    uncertainty branch does not run.

    The head takes feature maps: use ``neck=None``.

    The released code replaces no labels. EAC's paper counts RUL among the methods that
    do, and how RUL does it is not published. ``relabel`` is therefore a stand-in: the
    rule of SCN's released code (:class:`~eac_mm.models.Relabelling`), on the logits of
    mu without mixing, for every sample.

    Args:
        num_classes: Number of classes.
        in_channels: Channels C of the feature maps.
        map_size: Height and width S of the feature maps. Defaults to 7, that of
            ResNet-18 at 224 px.
        feat_channels: Width D of both branches. Defaults to 64.
        dropout: Probability that a branch drops a value of the map. Defaults to 0.4.
        relabel: Whether confident predictions replace labels. Defaults to False.
        relabel_margin: How much more probable than the present label the new one must
            be, in [0, 1). Defaults to 0.2.
        relabel_start: The first epoch that replaces labels, counted from 1.
            Defaults to 10.
        init_cfg: Initialisation. Defaults to None: PyTorch's own, as in the authors'
            code.
        **kwargs: Further arguments of MMPretrain's ``ClsHead``.

    Attributes:
        recorder: Called with the logits of mu, without mixing, if a
            :class:`~eac_mm.engine.TrainingRecorderHook` records; else None.
    """

    recorder: Callable[..., None] | None = None

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        map_size: int = 7,
        feat_channels: int = 64,
        dropout: float = 0.4,
        relabel: bool = False,
        relabel_margin: float = 0.2,
        relabel_start: int = 10,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(init_cfg=init_cfg, **kwargs)
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.map_size = map_size
        sizes = in_channels, map_size, feat_channels, dropout
        self.feature_branch = make_branch(*sizes)
        self.uncertainty_branch = make_branch(*sizes)
        self.fc = nn.Linear(feat_channels, num_classes)
        self.relabelling = None
        if relabel:
            self.relabelling = Relabelling(relabel_margin, relabel_start)

    def pre_logits(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the features mu, (N, D), of maps (N, C, S, S)."""
        return self.feature_branch(last_map(feats, self.in_channels, self.map_size))

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the logits of mu, (N, num_classes)."""
        return self.fc(self.pre_logits(feats))

    def uncertainty(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the uncertainty sigma of each sample, (N,), in float32."""
        maps = last_map(feats, self.in_channels, self.map_size)
        # In bfloat16 the exponential function would keep two or three digits.
        return self.uncertainty_branch(maps).float().exp().mean(1)

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """Return the mean of the mixed features' cross-entropies with both labels.

        The pairs are a random permutation of the batch, so a sample may be its own
        partner. With several processes, each pairs its own samples.

        Args:
            feats: Outputs of the backbone; the last is (N, C, S, S).
            data_samples: N samples with the noisy labels and, if labels are replaced,
                ``sample_idx``.
            **kwargs: Further arguments of the classification loss.

        Returns:
            ``loss``; accuracies of the features without mixing, if ``cal_acc`` is set.

        Raises:
            ValueError: If the maps have another size, or N is 1.
        """
        check_batch(feats[-1])
        features, uncertainty = self.pre_logits(feats), self.uncertainty(feats)
        order = torch.randperm(len(features))  # on the CPU: no step waits for it
        logits = self.fc(mix(features, uncertainty, order.to(features.device)))
        samples = data_samples
        if self.relabelling is not None:
            samples = self.relabelling.relabelled(data_samples)
        partners = [samples[i] for i in order.tolist()]
        both = [
            self._get_loss(logits, labelled, **kwargs)['loss']
            for labelled in (samples, partners)
        ]
        losses = dict(loss=0.5 * (both[0] + both[1]))
        if self.cal_acc or self.recorder is not None or self.relabelling is not None:
            with torch.no_grad():
                plain = self.fc(features)
                said = self._get_loss(plain, samples, **kwargs)
            losses.update({k: v for k, v in said.items() if k != 'loss'})
            if self.relabelling is not None:
                self.relabelling.update(data_samples, plain)
            if self.recorder is not None:
                self.recorder(logits=[plain])
        return losses


def make_branch(
    in_channels: int, map_size: int, out_channels: int, dropout: float
) -> nn.Sequential:
    """Return a branch of the authors' code, from maps (N, C, S, S) to (N, D)."""
    return nn.Sequential(
        nn.BatchNorm2d(in_channels, eps=2e-5, affine=False),
        nn.Dropout(dropout),
        nn.Flatten(),
        nn.Linear(in_channels * map_size**2, out_channels),
        nn.BatchNorm1d(out_channels, eps=2e-5),
    )


def mix(features: Tensor, uncertainty: Tensor, order: Tensor) -> Tensor:
    """Mix the features of pairs, each weighted by its share of the uncertainty.

    Args:
        features: (N, D).
        uncertainty: Above 0, (N,).
        order: The partner of each sample, (N,).

    Returns:
        Mixed features in float32, (N, D).
    """
    with torch.autocast(features.device.type, enabled=False):
        features, uncertainty = features.float(), uncertainty.float()
        share = uncertainty / (uncertainty + uncertainty[order])
        share = share[:, None]
        return share * features + (1 - share) * features[order]
