"""What a Python user, and the scripts in ``tools/``, call."""

from .auditing import AuditedRun, audit_run
from .checking import Problem, check
from .cross_fit import cross_fit
from .launch import build_runner, load_config, resume
from .predictor import ExpressionPredictor
from .trained_model import TrainedModel, load_model, pretrained_models
from .training import train

__all__ = [
    'AuditedRun',
    'ExpressionPredictor',
    'Problem',
    'TrainedModel',
    'audit_run',
    'build_runner',
    'check',
    'cross_fit',
    'load_config',
    'load_model',
    'pretrained_models',
    'resume',
    'train',
]
