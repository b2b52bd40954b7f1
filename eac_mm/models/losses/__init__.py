"""Losses that MMPretrain does not have."""

from .attention_consistency import AttentionConsistencyLoss, attention_maps
from .gce import GCELoss
from .gjs import GJSLoss
from .sce import SCELoss

__all__ = [
    'AttentionConsistencyLoss',
    'GCELoss',
    'GJSLoss',
    'SCELoss',
    'attention_maps',
]
