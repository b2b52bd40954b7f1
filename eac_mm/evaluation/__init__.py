"""Metrics that look at label noise."""

from .memorisation import Memorisation

__all__ = ['Memorisation']
