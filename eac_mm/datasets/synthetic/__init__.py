"""Faces drawn from numbers: what they are made of, and how they are drawn."""

from .dataset import SyntheticFER
from .faces import check_size, draw_face, render_face
from .parameters import EXPRESSIONS, Controls, Person, Photo

__all__ = [
    'EXPRESSIONS',
    'Controls',
    'Person',
    'Photo',
    'SyntheticFER',
    'check_size',
    'draw_face',
    'render_face',
]
