"""Weights of other projects, as weights of MMPretrain's backbones."""

from .conversion import Converted, convert_file, convert_weights
from .dlib_face import convert_dlib_face, find_dlib_face
from .dlib_start import DLIB_FACE, convert_for_folder, convert_for_run
from .layouts import LAYOUTS

__all__ = [
    'DLIB_FACE',
    'LAYOUTS',
    'Converted',
    'convert_dlib_face',
    'convert_file',
    'convert_for_folder',
    'convert_for_run',
    'convert_weights',
    'find_dlib_face',
]
