"""What a network sees in an image and in its flipped copy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmpretrain.models import ImageClassifier
from torch import Tensor

from eac_mm.models.attention import class_attention


@dataclass(frozen=True)
class Look:
    """What one network sees in an image and in its flipped copy.

    Attributes:
        attention: Map of the predicted class on the image, (H', W').
        flipped_attention: Map of the class predicted on the flipped image, (H', W').
        prediction: Predicted class and its probability, on the image.
        flipped_prediction: Likewise, on the flipped image.
    """

    attention: np.ndarray
    flipped_attention: np.ndarray
    prediction: tuple[str, float]
    flipped_prediction: tuple[str, float]


@torch.no_grad()
def look_at(network: ImageClassifier, image: Tensor, classes: Sequence[str]) -> Look:
    """Return what a network sees in an image and in its flipped copy.

    Args:
        network: In evaluation mode, with its ``data_preprocessor``.
        image: As the test pipeline gives it, uint8 (3, H, W).
        classes: Names of the classes.

    Raises:
        ValueError: If the network has no attention maps.
    """
    images = network.data_preprocessor(dict(inputs=[image, image.flip(-1)]))['inputs']
    maps = class_attention(network, images).float().cpu().numpy()
    probabilities = network(images, mode='tensor').float().softmax(1)
    best = probabilities.argmax(1).tolist()
    said = [(classes[best[i]], probabilities[i, best[i]].item()) for i in (0, 1)]
    return Look(maps[0, best[0]], maps[1, best[1]], *said)
