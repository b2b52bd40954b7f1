"""Data sets, label noise and transforms for FER."""

from .faces import RAFDB, AffectNet, CSVFaces, FaceDataset, FERPlus, FolderFaces
from .images import BadImageError, LoadFace
from .noise import NoisyLabels
from .synthetic import SyntheticFER
from .tiny_imagenet import TinyImageNet
from .transforms import (
    AffinePair,
    CropFace,
    Erasing,
    ErasingFlipPair,
    SeedAugmentation,
)

__all__ = [
    'AffectNet',
    'AffinePair',
    'BadImageError',
    'CSVFaces',
    'CropFace',
    'Erasing',
    'ErasingFlipPair',
    'FERPlus',
    'FaceDataset',
    'FolderFaces',
    'LoadFace',
    'NoisyLabels',
    'RAFDB',
    'SeedAugmentation',
    'SyntheticFER',
    'TinyImageNet',
]
