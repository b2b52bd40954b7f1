"""Synthetic faces with an expression, drawn from sampled numbers."""

from .dataset import SyntheticFER
from .faces import check_size, draw_face, render_face
from .parameters import Controls, Person, Photo

__all__ = [
    'Controls',
    'Person',
    'Photo',
    'SyntheticFER',
    'check_size',
    'draw_face',
    'render_face',
]
