"""The terms of DMUE's loss, each a function of tensors.

She et al., Dive into Ambiguity (CVPR 2021). C auxiliary branches, of which branch i
knows all classes but i, stand beside the target branch. A branch or class of which a
batch has no sample is left out of a mean; nothing is divided by 0.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def ramp_up(epoch: int, turning_point: float) -> float:
    """Return the factor of the target branch's losses, rising to 1.

    Args:
        epoch: From 0.
        turning_point: Epoch from which it is 1, more than 0.
    """
    if epoch > turning_point:
        return 1.0
    return math.exp(-5 * (1 - epoch / turning_point) ** 2)


def ramp_down(epoch: int, turning_point: float) -> float:
    """Return the factor of the auxiliary branches' loss: 1, then falling to 1/e.

    Args:
        epoch: From 0.
        turning_point: Epoch until which it is 1, more than 0.
    """
    if epoch < turning_point:
        return 1.0
    return math.exp(-((1 - turning_point / epoch) ** 2))


def others(labels: Tensor, num_classes: int) -> Tensor:
    """Return 1 for the samples that each auxiliary branch learns from, else 0.

    Args:
        labels: (N,).
        num_classes: C.

    Returns:
        float32 (C, N); row i is 0 for the samples of class i.
    """
    return 1 - F.one_hot(labels, num_classes).T.float()


def auxiliary_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over the branches of their cross-entropies.

    Args:
        logits: Of each auxiliary branch, (C, N, C - 1).
        labels: (N,).
    """
    classes = len(logits)
    learning = others(labels, classes)
    number = torch.arange(classes, device=labels.device)[:, None]
    # Branch i calls the classes after i by the number before. Its own is masked.
    shifted = (labels - (labels > number).long()).clamp(max=classes - 2)
    each = F.cross_entropy(logits.flatten(0, 1), shifted.flatten(), reduction='none')
    return branch_mean(each.view_as(learning) * learning, learning.sum(1))


def branch_mean(values: Tensor, counts: Tensor) -> Tensor:
    """Return the mean over the branches that have samples of their own means.

    Args:
        values: 0 for what does not count, (C, ...).
        counts: How many values count in each branch, (C,).
    """
    means = values.flatten(1).sum(1) / counts.clamp(min=1)
    return means.sum() / (counts > 0).sum().clamp(min=1)


def soft_labels(logits: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return what the branch without a sample's class takes the sample for.

    Args:
        logits: Of each auxiliary branch, (C, N, C - 1).
        labels: (N,).
        temperature: Above 1, the distribution is flattened.

    Returns:
        Probabilities, (N, C); 0 for a sample's own class.
    """
    classes, samples = logits.shape[:2]
    own = logits[labels, torch.arange(samples, device=labels.device)]
    # softmax(z)^(1/T), normalised anew, is softmax(z / T).
    said = (own / temperature).softmax(1)
    number = torch.arange(classes - 1, device=labels.device)
    place = number + (number >= labels[:, None]).long()
    return said.new_zeros(samples, classes).scatter(1, place, said)


def soft_loss(logits: Tensor, soft: Tensor, labels: Tensor) -> Tensor:
    """Return the mean squared distance of the target's probabilities to soft labels.

    The probability of a sample's own class does not count, and the others are not
    normalised anew.

    Args:
        logits: Of the target branch, (N, C).
        soft: From :func:`soft_labels`, (N, C).
        labels: (N,).
    """
    other = others(labels, logits.shape[1]).T
    return F.mse_loss(logits.softmax(1) * other, soft)


def similarity_loss(logits: Tensor, features: Tensor, labels: Tensor) -> Tensor:
    """Return how far apart the branches are in which samples they find alike.

    Both sides are Gram matrices of a branch's samples, with rows of length 1: of the
    branch's logits, and of the target branch's features.

    Args:
        logits: Of each auxiliary branch, (C, N, C - 1).
        features: Of the target branch, (N, D).
        labels: (N,).
    """
    learning = others(labels, len(logits))
    pairs = learning[:, :, None] * learning[:, None, :]
    theirs = F.normalize(logits @ logits.mT * pairs, dim=2)
    ours = F.normalize(features @ features.T * pairs, dim=2)
    return branch_mean((theirs - ours) ** 2, learning.sum(1) ** 2)


def class_similarity(features: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Return how alike each sample is to the classes of the batch, from 0 to 1.

    It is the mean cosine to the samples of a class, itself included, scaled so that the
    classes of the batch range from 0 to 1. A class that is missing has 0, and so has
    a class that is alone.

    Args:
        features: (N, D).
        labels: (N,).
        num_classes: C.

    Returns:
        (N, C).
    """
    directions = F.normalize(features, dim=1)
    members = F.one_hot(labels, num_classes).to(features.dtype)
    counts = members.sum(0)
    cosines = directions @ directions.T @ members / counts.clamp(min=1)
    missing = counts == 0
    low = cosines.masked_fill(missing, torch.inf).amin(1, keepdim=True)
    high = cosines.masked_fill(missing, -torch.inf).amax(1, keepdim=True)
    scaled = (cosines - low) / (high - low).clamp(min=1e-6)
    return scaled.masked_fill(missing, 0)
