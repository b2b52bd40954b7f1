"""What a Python user, and the scripts in ``tools/``, call."""

from .cross_fit import cross_fit
from .launch import build_runner, load_config, resume
from .training import train

__all__ = ['build_runner', 'cross_fit', 'load_config', 'resume', 'train']
