"""Losses that MMPretrain does not have."""

from .attention_consistency import AttentionConsistencyLoss, attention_maps

__all__ = ['AttentionConsistencyLoss', 'attention_maps']
