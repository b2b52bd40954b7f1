"""Loops that MMEngine does not have."""

from .loops import NoisyLabelValLoop

__all__ = ['NoisyLabelValLoop']
