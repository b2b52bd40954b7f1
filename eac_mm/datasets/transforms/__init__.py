"""Transforms that MMPretrain does not have."""

from .erasing import Erasing
from .loading import BadImageError, LoadFace
from .pair import ErasingFlipPair
from .seeding import SeedAugmentation

__all__ = [
    'BadImageError',
    'Erasing',
    'ErasingFlipPair',
    'LoadFace',
    'SeedAugmentation',
]
