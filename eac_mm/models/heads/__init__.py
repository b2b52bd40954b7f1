"""Heads that MMPretrain does not have."""

from .eac_head import EACHead

__all__ = ['EACHead']
