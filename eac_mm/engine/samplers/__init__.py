"""Samplers that MMPretrain does not have."""

from .class_balanced import ClassBalancedSampler

__all__ = ['ClassBalancedSampler']
