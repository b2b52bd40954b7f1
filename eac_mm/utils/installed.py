"""Find installed packages for MMEngine, which asks setuptools' ``pkg_resources``."""

import importlib.metadata
import importlib.util
from pathlib import Path


def is_installed(package: str) -> bool:
    """Return whether a distribution or a module of this name is installed."""
    return _distribution(package) is not None or _folder(package) is not None


def get_installed_path(package: str) -> str:
    """Return the folder of a package.

    Args:
        package: Name of a module, such as ``'mmpretrain'``, or of a distribution, such
            as ``'mmcv-lite'``, whose first module is taken.

    Raises:
        PackageNotFoundError: If there is none. It is a ``ModuleNotFoundError``.
    """
    found = _folder(package)
    if found is None and (distribution := _distribution(package)) is not None:
        modules = (distribution.read_text('top_level.txt') or '').split()
        found = next(filter(None, map(_folder, modules)), None)
    if found is None:
        raise importlib.metadata.PackageNotFoundError(package)
    return str(found)


def _distribution(name: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


def _folder(module: str) -> Path | None:
    """Return the folder of a module, None for a namespace or if there is none."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).parent if spec and spec.origin else None
