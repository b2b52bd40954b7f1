"""Facial expression recognition on labels that are partly wrong.

Importing the package registers its parts into MMPretrain's registries; in a
config that is ``custom_imports = dict(imports=['eac_mm'])``.
"""

from .utils import compat

compat.apply()

from . import apis, datasets, engine, evaluation, models, visualization  # noqa: E402
from .version import __version__  # noqa: E402

__all__ = [
    '__version__',
    'apis',
    'datasets',
    'engine',
    'evaluation',
    'models',
    'visualization',
]
