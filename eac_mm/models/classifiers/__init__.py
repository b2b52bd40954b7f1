"""Classifiers that MMPretrain does not have."""

from .eac_classifier import EACClassifier

__all__ = ['EACClassifier']
