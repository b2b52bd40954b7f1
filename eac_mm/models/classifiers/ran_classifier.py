"""The classifier of Region Attention Networks."""

from collections.abc import Sequence
from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.nn import functional as F

# Left, top, right and bottom, as shares of the image.
Region = tuple[float, float, float, float]
REGIONS: tuple[Region, ...] = (
    (0.125, 0.25, 0.875, 1.0),  # lower centre
    (0.0, 0.0, 0.75, 0.75),  # top left
    (0.25, 0.0, 1.0, 0.75),  # top right
    (0.05, 0.05, 0.95, 0.95),  # centre
    (0.1, 0.1, 0.9, 0.9),  # centre
)


@MODELS.register_module()
class RANClassifier(ImageClassifier):
    r"""Classify the features of a face and of its regions, weighted by attention.

    `Region Attention Networks for Pose and Occlusion Robust Facial Expression
    Recognition <https://arxiv.org/abs/1905.04075>`_. One backbone reads the whole face
    (k = 0) and regions of it, cut from the image and resized to its size. With f_k the
    pooled features of region k,

    .. math::
        \mu_k = \sigma(q_0 f_k), \quad F = \sum \mu_k f_k / \sum \mu_k

        \nu_k = \sigma(q_1 [f_k, F]), \quad
        P = \sum \mu_k \nu_k [f_k, F] / \sum \mu_k \nu_k

    The head classifies P. The region-biased loss wants the weight mu of one region at
    least to exceed that of the whole face by a margin. Testing needs the regions too.

    Whole faces and regions pass the backbone as one batch of N (K + 1) images, and
    share its batch statistics. Flips and erasing have been applied before the image is
    cut, so that a left region shows the left of what the network sees.

    Args:
        *args: As of MMPretrain's ``ImageClassifier``.
        regions: Boxes of the K regions: left, top, right and bottom, as shares of the
            image. Defaults to :data:`REGIONS`, five of the authors' boxes.
        margin: Margin of the region-biased loss. Defaults to 0.02.
        region_weight: Weight of the region-biased loss, 0 or more. Defaults to 1.0.
        **kwargs: As of MMPretrain's ``ImageClassifier``. The neck must pool, and the
            head take two times the channels of a map: ``in_channels=1024`` for
            ResNet-18.

    Shape:
        - inputs: (N, 3, H, W)
        - features given to the head: (N, 2 C)

    Attributes:
        passes: How often a sample passes the backbone in a training step, K + 1.

    Raises:
        ValueError: If there is no region, a box lies outside the image, or the
            weight is negative.
    """

    def __init__(
        self,
        *args: Any,
        regions: Sequence[Sequence[float]] = REGIONS,
        margin: float = 0.02,
        region_weight: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if region_weight < 0:
            raise ValueError(
                f'region_weight={region_weight}: allowed are 0 (cross-entropy alone) '
                'and more. Fix: model.region_weight=1.0'
            )
        self.regions = check_regions(regions)
        self.passes = 1 + len(self.regions)
        self.margin = margin
        self.region_weight = region_weight
        width = self.head.in_channels
        self.self_attention = nn.Linear(width // 2, 1)  # q_0
        self.relation_attention = nn.Linear(width, 1)  # q_1

    def extract_feat(
        self, inputs: Tensor, stage: str = 'neck'
    ) -> tuple[Tensor, ...] | Tensor:
        """Return the features of a stage, as MMPretrain's classifiers do.

        Args:
            inputs: (N, 3, H, W).
            stage: ``'backbone'`` for the maps of all whole faces, then those of each
                region; ``'neck'`` or ``'pre_logits'`` for P.
        """
        if stage == 'backbone':
            return super().extract_feat(cut(inputs, self.regions), stage)
        feats = (self.attend(self.region_features(inputs))[0],)
        return feats if stage == 'neck' else self.head.pre_logits(feats)

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the head's loss of P, and the weighted region-biased loss.

        Args:
            inputs: (N, 3, H, W).
            data_samples: N samples with the noisy labels.

        Returns:
            ``loss_cls`` and ``loss_region``. Their sum is trained on. Accuracies too,
            if the head's ``cal_acc`` is set.
        """
        summary, weights = self.attend(self.region_features(inputs))
        losses = self.head.loss((summary,), data_samples)
        losses['loss_cls'] = losses.pop('loss')
        losses['loss_region'] = self.region_weight * region_biased_loss(
            weights, self.margin
        )
        return losses

    def region_features(self, inputs: Tensor) -> Tensor:
        """Return the pooled features of whole face and regions, (N, K + 1, C).

        Raises:
            ValueError: If they are not pooled, or the head is made for other ones.
        """
        features = super().extract_feat(cut(inputs, self.regions))[-1]
        shape, channels = tuple(features.shape[1:]), self.self_attention.in_features
        if shape != (channels,):
            fix = 'model.neck.type=GlobalAveragePooling'
            if len(shape) == 1:
                fix = f'model.head.in_channels={2 * shape[0]}'
            raise ValueError(
                f'RANClassifier weights pooled features of {channels} channels, half '
                f'of what its head takes, and got features of shape {shape}. Fix: {fix}'
            )
        return features.unflatten(0, (-1, len(inputs))).transpose(0, 1)

    def attend(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Summarise the features of whole face and regions, in float32.

        Args:
            features: (N, K + 1, C).

        Returns:
            P, (N, 2 C), and the weights mu, (N, K + 1).
        """
        # bfloat16 would round a margin of 0.02 away.
        with torch.autocast(features.device.type, enabled=False):
            features = features.float()
            # mu_k / sum mu is the softmax of log mu, which never divides 0 by 0.
            log_mu = F.logsigmoid(self.self_attention(features))
            mean = (log_mu.softmax(1) * features).sum(1, keepdim=True)
            both = torch.cat([features, mean.expand_as(features)], 2)
            log_nu = F.logsigmoid(self.relation_attention(both))
            summary = ((log_mu + log_nu).softmax(1) * both).sum(1)
            return summary, log_mu.squeeze(2).exp()


def check_regions(regions: Sequence[Sequence[float]]) -> tuple[Region, ...]:
    """Return the boxes as tuples.

    Raises:
        ValueError: If there is none, or one lies outside the image.
    """
    boxes = tuple(tuple(map(float, region)) for region in regions)
    wrong = [box for box in boxes if len(box) != 4 or not is_inside(*box)]
    if wrong or not boxes:
        given = f'the region {wrong[0]}' if wrong else 'no region'
        raise ValueError(
            f'{given}: each is left, top, right and bottom, as shares of the image '
            'from 0 to 1, and there must be one at least. Fix: model.regions='
            '[[0, 0, 0.75, 0.75], ...], or leave it out.'
        )
    return boxes


def is_inside(left: float, top: float, right: float, bottom: float) -> bool:
    """Whether a box lies in the image and is not empty."""
    return 0 <= left < right <= 1 and 0 <= top < bottom <= 1


def cut(images: Tensor, regions: Sequence[Region]) -> Tensor:
    """Return the images, then each region of all of them resized to their size.

    Args:
        images: (N, 3, H, W).
        regions: K boxes as shares of the image, rounded to whole pixels.

    Returns:
        (N (K + 1), 3, H, W).

    Raises:
        ValueError: If a region has no pixel.
    """
    height, width = images.shape[2:]
    views = [images]
    for left, top, right, bottom in regions:
        rows = slice(round(top * height), round(bottom * height))
        columns = slice(round(left * width), round(right * width))
        if rows.start == rows.stop or columns.start == columns.stop:
            raise ValueError(
                f'the region {(left, top, right, bottom)} has no pixel in images of '
                f'{width} x {height}. Fix: a larger one in model.regions.'
            )
        views.append(
            F.interpolate(
                images[:, :, rows, columns],
                (height, width),
                mode='bilinear',
                align_corners=False,
            )
        )
    return torch.cat(views)


def region_biased_loss(weights: Tensor, margin: float) -> Tensor:
    """Return the mean of max(0, margin - (largest weight of a region - whole face's)).

    Args:
        weights: Weights mu of the whole face, then of the regions, (N, K + 1).
        margin: How far a region should exceed the whole face.
    """
    excess = weights[:, 1:].amax(1) - weights[:, 0]
    return (margin - excess).clamp(min=0).mean()
