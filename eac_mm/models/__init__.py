"""Models for FER with wrong labels."""

from .classifiers import EACClassifier
from .data_preprocessor import EACDataPreprocessor
from .heads import EACHead
from .losses import AttentionConsistencyLoss, attention_maps

__all__ = [
    'AttentionConsistencyLoss',
    'EACClassifier',
    'EACDataPreprocessor',
    'EACHead',
    'attention_maps',
]
