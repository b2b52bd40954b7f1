"""Losses that MMPretrain does not have."""

from .adaptive_class import AdaptiveClassLoss
from .attention_consistency import AttentionConsistencyLoss, attention_maps
from .elr import ELRLoss
from .gce import GCELoss
from .gjs import GJSLoss
from .logit_adjusted import LogitAdjustedLoss
from .sce import SCELoss
from .selc import SELCLoss
from .sop import SOPLoss

__all__ = [
    'AdaptiveClassLoss',
    'AttentionConsistencyLoss',
    'ELRLoss',
    'GCELoss',
    'GJSLoss',
    'LogitAdjustedLoss',
    'SCELoss',
    'SELCLoss',
    'SOPLoss',
    'attention_maps',
]
