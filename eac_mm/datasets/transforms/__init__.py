"""Transforms that MMPretrain does not have."""

from .erasing import Erasing
from .pair import ErasingFlipPair
from .seeding import SeedAugmentation

__all__ = ['Erasing', 'ErasingFlipPair', 'SeedAugmentation']
