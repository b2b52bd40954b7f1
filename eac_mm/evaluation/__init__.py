"""Metrics that MMPretrain lacks: every class, and label noise."""

from .mean_class import MeanClass
from .memorisation import Memorisation
from .predictions import Predictions

__all__ = ['MeanClass', 'Memorisation', 'Predictions']
