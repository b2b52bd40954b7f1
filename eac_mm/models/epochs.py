"""The epoch that a model or a head trains in."""

from torch import nn


def known_epoch(module: nn.Module, setting: str) -> int:
    """Return ``module.epoch``, from 0, which a ``CurrentEpochHook`` sets.

    Args:
        module: A model or a head with an attribute ``epoch``.
        setting: Where the config has the attribute, such as ``'model.head.epoch'``.

    Raises:
        ValueError: If nothing has told the epoch.
    """
    if module.epoch is None:
        raise ValueError(
            f'{type(module).__name__} does not know the epoch. Fix: '
            "default_hooks.epoch=dict(type='CurrentEpochHook') in the config, or set "
            f'{setting} if you train without a Runner.'
        )
    return module.epoch
