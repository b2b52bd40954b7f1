"""Install eac_mm; ``pip install -c requirements/constraints.txt -e .`` does it."""

import shutil
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SHIPPED = ('configs', 'tools', 'model-index.yml')


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


class BuildWithRecipes(build_py):
    """Put recipes and tools into the wheel as ``eac_mm/.mim``, as OpenMMLab does.

    A clone that is installed with ``-e`` uses its own.
    """

    def run(self) -> None:
        """Build the package, then copy them beside it."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, 'eac_mm', '.mim')
        shutil.rmtree(target, ignore_errors=True)  # of an earlier build
        target.mkdir(parents=True)
        unwanted = shutil.ignore_patterns('__pycache__', '*.pyc')
        for name in SHIPPED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target / name, ignore=unwanted)
            else:
                shutil.copy(ROOT / name, target)


setup(
    name='eac_mm',
    version=package_version(),
    description='Facial expression recognition on labels that are partly wrong',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['eac_mm', 'eac_mm.*']),
    py_modules=['eac_mm_cli'],
    entry_points={'console_scripts': ['eac-mm = eac_mm_cli:main']},
    package_data={'eac_mm': ['py.typed', 'pretrained/*', 'audit/page/*']},
    cmdclass={'build_py': BuildWithRecipes},
    install_requires=[*requirements('runtime'), mmcv()],
    extras_require={
        'audit': requirements('audit'),
        'faces': requirements('faces'),
        'docs': requirements('docs'),
        'face-weights': requirements('face-weights'),
        'onnx': requirements('onnx'),
        'tests': requirements('tests'),
    },
)
