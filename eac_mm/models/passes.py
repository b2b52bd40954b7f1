"""How often a training step passes an image through a backbone."""

from torch import nn


def passes_of(model: nn.Module) -> float:
    """Return how often a training step of a model passes an image through a backbone.

    The model tells, by an attribute ``passes`` or else ``views`` of the classifier or
    of its head. Without one it is 1.
    """
    parts = (model, getattr(model, 'head', None))
    told = (getattr(p, name, None) for p in parts for name in ('passes', 'views'))
    return next((number for number in told if number is not None), 1)
