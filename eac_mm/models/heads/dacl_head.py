"""The head of Deep Attentive Center Loss."""

from collections.abc import Callable, Sequence

import torch
from mmengine.dist import all_reduce, broadcast
from mmpretrain.models.heads import ClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.nn import functional as F

from ..labels import single_labels
from .feature_maps import check_batch, last_map


@MODELS.register_module()
class DACLHead(ClsHead):
    """Pull features to the centre of their class, in dimensions that attention chooses.

    Facial Expression Recognition in the Wild via Deep Attentive Center Loss (Farzaneh,
    Qi, WACV 2021): cross-entropy of a linear classifier, plus ``centre_weight`` times
    the squared distance of the pooled features f to the centre of their class. An
    attention network reads the feature map and weights each dimension of the distance,
    for each sample anew. In testing it is the linear classifier of f; neither
    attention nor centres are used.

    The centres are no parameters. Each step moves them by the authors' rule, after its
    loss is computed: see :func:`centre_steps`. They are saved in the checkpoint, and
    several processes move them by the samples of all, so that they stay equal.

    The head takes feature maps: use ``neck=None``.

    Args:
        num_classes: Number of classes.
        in_channels: Channels C of the feature maps.
        map_size: Height and width S of the feature maps. Defaults to 7, that of
            ResNet-18 at 224 px.
        attention_channels: Widths of the attention network's three hidden layers.
            Defaults to None: C * S, C and C / 8, which for C = 512 and S = 7 are the
            authors' 3584, 512 and 64.
        centre_weight: Weight lambda of the distance, 0 or more. Defaults to 0.01.
        centre_rate: Share alpha of a step that the centres move, in [0, 1]. Defaults
            to 0.5.
        init_cfg: Initialisation. Defaults to None: PyTorch's own for the classifier,
            He's normal one for the attention network and the centres, as in the
            authors' code.
        **kwargs: Further arguments of MMPretrain's ``ClsHead``.

    Attributes:
        centres: The centre of each class, (num_classes, C).
        recorder: Called with the logits, if a
            :class:`~eac_mm.engine.TrainingRecorderHook` records; else None.

    Raises:
        ValueError: If ``centre_weight`` or ``centre_rate`` is out of range.
    """

    recorder: Callable[..., None] | None = None

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        map_size: int = 7,
        attention_channels: Sequence[int] | None = None,
        centre_weight: float = 0.01,
        centre_rate: float = 0.5,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(init_cfg=init_cfg, **kwargs)
        if centre_weight < 0 or not 0 <= centre_rate <= 1:
            raise ValueError(
                f'centre_weight={centre_weight} and centre_rate={centre_rate}: allowed '
                'are a weight of 0 or more and a rate from 0 to 1. Fix: '
                'model.head.centre_weight=0.01 model.head.centre_rate=0.5'
            )
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.map_size = map_size
        self.centre_weight = centre_weight
        self.centre_rate = centre_rate
        widths = attention_channels or (
            in_channels * map_size,
            in_channels,
            max(2, in_channels // 8),
        )
        self.attention_net = make_attention(in_channels, map_size, widths)
        self.fc = nn.Linear(in_channels, num_classes)
        # The authors' code draws the centres as a matrix (C, num_classes).
        centres = nn.init.kaiming_normal_(torch.empty(in_channels, num_classes))
        self.register_buffer('centres', centres.T.contiguous())

    def pre_logits(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the pooled features f, (N, C), of maps (N, C, S, S)."""
        return last_map(feats, self.in_channels, self.map_size).mean((2, 3))

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the logits, (N, num_classes)."""
        return self.fc(self.pre_logits(feats))

    def attention(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return the weight of each dimension of f, (N, C), in (0, 1) and float32.

        It is the second of a pair of probabilities.
        """
        maps = last_map(feats, self.in_channels, self.map_size)
        pairs = self.attention_net(maps).view(-1, self.in_channels, 2)
        return pairs.float().softmax(2)[..., 1]

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """Return the cross-entropy and the weighted distance to the centres.

        Args:
            feats: Outputs of the backbone; the last is (N, C, S, S).
            data_samples: N samples with the noisy labels.
            **kwargs: Further arguments of the classification loss.

        Returns:
            ``loss_cls`` and ``loss_centre``. Their sum is trained on. Accuracies too,
            if ``cal_acc`` is set.

        Raises:
            ValueError: If the maps have another size, N is 1, or labels are mixed.
        """
        check_batch(feats[-1])
        labels = single_labels(
            data_samples,
            'a sample is pulled to the centre of one class, and by their gt_score '
            'these samples belong to several. Fix: no model.train_cfg.augments.',
        )
        features = self.pre_logits(feats)
        logits = self.fc(features)
        losses = self._get_loss(logits, data_samples, **kwargs)
        losses['loss_cls'] = losses.pop('loss')
        attention = self.attention(feats)
        broadcast(self.centres)  # each process may have drawn others
        distance = attentive_distance(features, attention, self.centres[labels])
        losses['loss_centre'] = self.centre_weight * distance
        self._move_centres(features, attention, labels)
        if self.recorder is not None:
            self.recorder(logits=[logits])
        return losses

    @torch.no_grad()
    def _move_centres(
        self, features: Tensor, attention: Tensor, labels: Tensor
    ) -> None:
        """Move the centres by the samples of all processes."""
        steps = centre_steps(features, attention, labels, self.centres)
        self.centres.add_(steps, alpha=self.centre_rate)


def make_attention(
    in_channels: int, map_size: int, widths: Sequence[int]
) -> nn.Sequential:
    """Return the attention network, from maps (N, C, S, S) to (N, 2 C)."""
    widths = [in_channels * map_size**2, *widths]
    layers: list[nn.Module] = [nn.Flatten()]
    activations = [nn.ReLU()] * (len(widths) - 2) + [nn.Tanh()]
    sizes = zip(widths[:-1], widths[1:], activations, strict=True)
    for before, after, activation in sizes:
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), activation]
    layers.append(nn.Linear(widths[-1], 2 * in_channels))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def attentive_distance(features: Tensor, attention: Tensor, centres: Tensor) -> Tensor:
    """Return half the mean of the weighted squared distances, in float32.

    Args:
        features: (N, C).
        attention: Weight of each dimension, (N, C).
        centres: The centre that each sample is compared with, (N, C).
    """
    with torch.autocast(features.device.type, enabled=False):
        squares = (features.float() - centres).square()
        return 0.5 * (attention * squares).sum(1).mean()


def centre_steps(
    features: Tensor, attention: Tensor, labels: Tensor, centres: Tensor
) -> Tensor:
    """Return where the samples of all processes pull the centres, (num_classes, C).

    That of class k is the sum over its n samples of A_i (f_i - c_k), divided by 1 + n;
    it is 0 for a class without samples.

    Args:
        features: (N, C).
        attention: Weight A of each dimension, (N, C).
        labels: (N,).
        centres: (num_classes, C).
    """
    with torch.autocast(features.device.type, enabled=False):
        belongs = F.one_hot(labels, len(centres)).to(centres)  # (N, num_classes)
        pulls = attention * (features.float() - centres[labels])
        sums = torch.cat([belongs.T @ pulls, belongs.sum(0)[:, None]], 1)
        all_reduce(sums)
        return sums[:, :-1] / (1 + sums[:, -1:])
