"""Label noise: its model, its files, and the data set that applies it."""

from .noisy_labels import NoisyLabels

__all__ = ['NoisyLabels']
