"""What runs around the model: hooks, samplers, optimiser wrappers."""

from .hooks import (
    CheckpointFormatHook,
    ConsistencyRampHook,
    CurrentEpochHook,
    DeferredRuntimeInfoHook,
    EpochSeedHook,
    ExactResumeHook,
    FiniteLossHook,
    MemorisationHook,
    PrecisionHook,
    PreflightHook,
    ResultHook,
    RunIdentityHook,
    SafeCheckpointHook,
    SampleStateHook,
    TrainingRecorderHook,
    training_precision,
)
from .optimizers import BFloat16OptimWrapper
from .samplers import ClassBalancedSampler

__all__ = [
    'BFloat16OptimWrapper',
    'ClassBalancedSampler',
    'CheckpointFormatHook',
    'ConsistencyRampHook',
    'CurrentEpochHook',
    'DeferredRuntimeInfoHook',
    'EpochSeedHook',
    'ExactResumeHook',
    'FiniteLossHook',
    'MemorisationHook',
    'PrecisionHook',
    'PreflightHook',
    'ResultHook',
    'RunIdentityHook',
    'SafeCheckpointHook',
    'SampleStateHook',
    'TrainingRecorderHook',
    'training_precision',
]
