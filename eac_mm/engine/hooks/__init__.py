"""Hooks that MMEngine and MMPretrain do not have."""

from .checkpoint_format_hook import CheckpointFormatHook
from .consistency_ramp_hook import ConsistencyRampHook
from .current_epoch_hook import CurrentEpochHook
from .deferred_runtime_info_hook import DeferredRuntimeInfoHook
from .epoch_seed_hook import EpochSeedHook
from .exact_resume_hook import ExactResumeHook
from .finite_loss_hook import FiniteLossHook
from .memorisation_hook import MemorisationHook
from .precision_hook import PrecisionHook, training_precision
from .preflight_hook import PreflightHook
from .result_hook import ResultHook
from .run_identity_hook import RunIdentityHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .sample_state_hook import SampleStateHook
from .training_recorder_hook import TrainingRecorderHook

__all__ = [
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
