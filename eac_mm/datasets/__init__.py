"""Data sets, label noise and transforms for FER."""

from .faces import RAFDB, AffectNet, CSVFaces, FaceDataset, FERPlus, FolderFaces
from .held_out import HeldOut
from .images import BadImageError, DeviceCache, LoadFace, RAMCache
from .left_out import LeftOut
from .noise import AnnotatedLabels, NoisyLabels
from .synthetic import SyntheticFER
from .tiny_imagenet import TinyImageNet
from .transforms import (
    AffinePair,
    CropFace,
    Erasing,
    ErasingFlipPair,
    GaussianNoise,
    SeedAugmentation,
)

__all__ = [
    'AffectNet',
    'AffinePair',
    'AnnotatedLabels',
    'BadImageError',
    'CSVFaces',
    'CropFace',
    'DeviceCache',
    'Erasing',
    'ErasingFlipPair',
    'FERPlus',
    'FaceDataset',
    'FolderFaces',
    'GaussianNoise',
    'HeldOut',
    'LeftOut',
    'LoadFace',
    'NoisyLabels',
    'RAFDB',
    'RAMCache',
    'SeedAugmentation',
    'SyntheticFER',
    'TinyImageNet',
]
