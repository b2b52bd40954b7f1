"""Models for FER with wrong labels."""

from .backbones import CaffeResNet
from .classifiers import EACClassifier
from .heads import EACHead
from .losses import AttentionConsistencyLoss, attention_maps
from .preprocessor import EACDataPreprocessor

__all__ = [
    'AttentionConsistencyLoss',
    'CaffeResNet',
    'EACClassifier',
    'EACDataPreprocessor',
    'EACHead',
    'attention_maps',
]
