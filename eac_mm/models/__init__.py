"""Models for facial expression recognition with noisy labels."""

from .backbones import CaffeResNet, DlibFaceResNet
from .classifiers import EACClassifier
from .heads import EACHead
from .losses import AttentionConsistencyLoss, attention_maps
from .preprocessor import EACDataPreprocessor
from .relabelling import Relabelling
from .sample_state import SampleState

__all__ = [
    'AttentionConsistencyLoss',
    'CaffeResNet',
    'DlibFaceResNet',
    'EACClassifier',
    'EACDataPreprocessor',
    'EACHead',
    'Relabelling',
    'SampleState',
    'attention_maps',
]
