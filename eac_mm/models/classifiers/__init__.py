"""Classifiers that MMPretrain does not have."""

from .dmue_classifier import DMUEClassifier
from .eac_classifier import EACClassifier
from .ran_classifier import RANClassifier

__all__ = ['DMUEClassifier', 'EACClassifier', 'RANClassifier']
