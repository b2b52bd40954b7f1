"""Hooks that MMEngine and MMPretrain do not have."""

from .augmentation_seed_hook import AugmentationSeedHook
from .consistency_ramp_hook import ConsistencyRampHook
from .preflight_hook import PreflightHook
from .result_hook import ResultHook
from .safe_checkpoint_hook import SafeCheckpointHook

__all__ = [
    'AugmentationSeedHook',
    'ConsistencyRampHook',
    'PreflightHook',
    'ResultHook',
    'SafeCheckpointHook',
]
