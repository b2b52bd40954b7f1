"""Weights of other projects, as weights of MMPretrain's backbones."""

from .conversion import Converted, convert_weights
from .layouts import LAYOUTS

__all__ = ['LAYOUTS', 'Converted', 'convert_weights']
