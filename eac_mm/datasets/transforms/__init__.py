"""Transforms that MMPretrain does not have."""

from .affine_pair import AffinePair
from .crop_face import CropFace
from .erasing import Erasing
from .gaussian_noise import GaussianNoise
from .pair import ErasingFlipPair
from .seeding import SeedAugmentation

__all__ = [
    'AffinePair',
    'CropFace',
    'Erasing',
    'ErasingFlipPair',
    'GaussianNoise',
    'SeedAugmentation',
]
