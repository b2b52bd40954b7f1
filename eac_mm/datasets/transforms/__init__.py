"""Transforms that MMPretrain does not have."""

from .affine_pair import AffinePair
from .crop_face import CropFace
from .erasing import Erasing
from .loading import BadImageError, LoadFace
from .pair import ErasingFlipPair
from .seeding import SeedAugmentation

__all__ = [
    'AffinePair',
    'BadImageError',
    'CropFace',
    'Erasing',
    'ErasingFlipPair',
    'LoadFace',
    'SeedAugmentation',
]
