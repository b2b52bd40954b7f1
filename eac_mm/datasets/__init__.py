"""Data sets, label noise and transforms for FER."""

from .affectnet import AffectNet
from .csv_faces import CSVFaces
from .face_dataset import FaceDataset
from .ferplus import FERPlus
from .noisy_labels import NoisyLabels
from .rafdb import RAFDB
from .synthetic_fer import SyntheticFER
from .tiny_imagenet import TinyImageNet
from .transforms import (
    BadImageError,
    Erasing,
    ErasingFlipPair,
    LoadFace,
    SeedAugmentation,
)
from .transforms.crop_face import CropFace

__all__ = [
    'AffectNet',
    'BadImageError',
    'CSVFaces',
    'CropFace',
    'Erasing',
    'ErasingFlipPair',
    'FERPlus',
    'FaceDataset',
    'LoadFace',
    'NoisyLabels',
    'RAFDB',
    'SeedAugmentation',
    'SyntheticFER',
    'TinyImageNet',
]
