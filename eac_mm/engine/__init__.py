"""What runs around the model: hooks, loops, samplers, optimiser wrappers."""

from .hooks import (
    ConsistencyRampHook,
    DeferredRuntimeInfoHook,
    EpochSeedHook,
    ExactResumeHook,
    FiniteLossHook,
    PreflightHook,
    ResultHook,
    SafeCheckpointHook,
)
from .optimizers import BFloat16OptimWrapper
from .runner import NoisyLabelValLoop
from .samplers import ClassBalancedSampler

__all__ = [
    'BFloat16OptimWrapper',
    'ClassBalancedSampler',
    'ConsistencyRampHook',
    'DeferredRuntimeInfoHook',
    'EpochSeedHook',
    'ExactResumeHook',
    'FiniteLossHook',
    'NoisyLabelValLoop',
    'PreflightHook',
    'ResultHook',
    'SafeCheckpointHook',
]
