"""Data sets, label noise and transforms for FER."""

from .csv_faces import CSVFaces
from .ferplus import FERPlus
from .noisy_labels import NoisyLabels
from .rafdb import RAFDB
from .synthetic_fer import SyntheticFER
from .transforms import Erasing, ErasingFlipPair, SeedAugmentation

__all__ = [
    'CSVFaces',
    'Erasing',
    'ErasingFlipPair',
    'FERPlus',
    'NoisyLabels',
    'RAFDB',
    'SeedAugmentation',
    'SyntheticFER',
]
