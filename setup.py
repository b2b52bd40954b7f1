"""Install eac_mm; ``pip install -c requirements/constraints.txt -e .`` does it."""

import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """The lines of ``requirements/<name>.txt`` without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line.split('#')[0].strip() for line in lines if line.split('#')[0].strip()]


def mmcv() -> str:
    """Keep a full mmcv that is there; mmcv-lite, which serves, would break it."""
    # pip builds in an environment that hides what is installed, so that the
    # folders have to be named.
    folders = [sysconfig.get_path('purelib'), sysconfig.get_path('platlib'), *sys.path]
    full = any(distributions(name='mmcv', path=folders))
    return f'{"mmcv" if full else "mmcv-lite"}>=2.0.0,<2.4.0'


def package_version() -> str:
    """The version in ``eac_mm/version.py``, without importing the package."""
    scope: dict = {}
    exec((ROOT / 'eac_mm' / 'version.py').read_text(), scope)
    return scope['__version__']


setup(
    name='eac_mm',
    version=package_version(),
    description='Facial expression recognition on labels that are partly wrong',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['eac_mm', 'eac_mm.*']),
    package_data={'eac_mm': ['py.typed']},
    install_requires=[*requirements('runtime'), mmcv()],
    extras_require={
        'face-weights': requirements('face-weights'),
        'tests': requirements('tests'),
    },
)
