"""What a Python user, and the scripts in ``tools/``, call."""

from .launch import build_runner, load_config, resume
from .training import train

__all__ = ['build_runner', 'load_config', 'resume', 'train']
