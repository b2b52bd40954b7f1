"""Faces drawn from numbers: what they are made of, and how they are drawn."""

from .faces import check_size, draw_face, render_face
from .parameters import EXPRESSIONS, Controls, Person, Photo

__all__ = [
    'EXPRESSIONS',
    'Controls',
    'Person',
    'Photo',
    'check_size',
    'draw_face',
    'render_face',
]
