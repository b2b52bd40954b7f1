"""Classifiers that MMPretrain does not have."""

from .eac_classifier import EACClassifier
from .ran_classifier import RANClassifier

__all__ = ['EACClassifier', 'RANClassifier']
