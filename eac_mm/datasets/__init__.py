"""Data sets, label noise and transforms for FER."""

from .affectnet import AffectNet
from .csv_faces import CSVFaces
from .face_dataset import FaceDataset
from .ferplus import FERPlus
from .folder_faces import FolderFaces
from .noisy_labels import NoisyLabels
from .rafdb import RAFDB
from .synthetic_fer import SyntheticFER
from .tiny_imagenet import TinyImageNet
from .transforms import (
    AffinePair,
    BadImageError,
    CropFace,
    Erasing,
    ErasingFlipPair,
    LoadFace,
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
