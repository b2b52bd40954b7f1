"""Weights of other projects, as weights of MMPretrain's backbones."""

from .conversion import Converted, convert_file, convert_weights
from .dlib_face import convert_dlib_face, find_dlib_face
from .layouts import LAYOUTS

__all__ = [
    'LAYOUTS',
    'Converted',
    'convert_dlib_face',
    'convert_file',
    'convert_weights',
    'find_dlib_face',
]
