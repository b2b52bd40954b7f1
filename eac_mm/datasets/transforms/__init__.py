"""Transforms that MMPretrain does not have."""

from .affine_pair import AffinePair
from .crop_face import CropFace
from .erasing import Erasing
from .pair import ErasingFlipPair
from .seeding import SeedAugmentation

__all__ = [
    'AffinePair',
    'CropFace',
    'Erasing',
    'ErasingFlipPair',
    'SeedAugmentation',
]
