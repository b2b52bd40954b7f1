"""Optimiser wrappers that MMEngine does not have."""

from .bfloat16 import BFloat16OptimWrapper

__all__ = ['BFloat16OptimWrapper']
