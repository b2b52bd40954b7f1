"""Heads that MMPretrain does not have."""

from .eac_head import EACHead
from .rul_head import RULHead

__all__ = ['EACHead', 'RULHead']
