"""What runs around the model: hooks, loops, optimiser wrappers."""

from .hooks import (
    AugmentationSeedHook,
    ConsistencyRampHook,
    PreflightHook,
    ResultHook,
    SafeCheckpointHook,
)
from .optimizers import BFloat16OptimWrapper
from .runner import NoisyLabelValLoop

__all__ = [
    'AugmentationSeedHook',
    'BFloat16OptimWrapper',
    'ConsistencyRampHook',
    'NoisyLabelValLoop',
    'PreflightHook',
    'ResultHook',
    'SafeCheckpointHook',
]
