"""Attention maps of a trained network: what in a face speaks for a class."""

import torch
from mmpretrain.models import ImageClassifier
from torch import Tensor, nn

from .classifiers.eac_classifier import last_of, split_at_pooling
from .losses import attention_maps


@torch.no_grad()
def class_attention(model: ImageClassifier, images: Tensor) -> Tensor:
    """Return the attention maps of all classes (EAC, Eq. 1), of any linear classifier.

    Args:
        model: A network whose head is linear (``head.fc``) on pooled feature maps.
        images: Normalised images, (N, 3, H, W).

    Returns:
        Maps before pooling, (N, L, H', W').

    Raises:
        ValueError: If the network is another one.
    """
    before, _ = split_at_pooling(model.neck)
    maps = model.extract_feat(images, stage='backbone')
    for layer in before:
        maps = layer(maps)
    maps, linear = last_of(maps), getattr(model.head, 'fc', None)
    if (
        not isinstance(linear, nn.Linear)
        or maps.dim() != 4
        or maps.shape[1] != linear.in_features
    ):
        raise ValueError(
            'attention maps need a linear classifier on pooled feature maps, and this '
            f'is {type(model.head).__name__} on features of shape '
            f'{tuple(maps.shape)}. Fix: predict without them.'
        )
    return attention_maps(maps.float(), linear.weight.float())
