"""Files of installed packages that are not imported."""

import hashlib
import importlib.util
from pathlib import Path


def find_package_file(package: str, name: str, distribution: str, fix: str) -> Path:
    """Find a file in the folder of an installed package, without importing it.

    Args:
        package: Name by which the package is imported.
        name: The file, from the package's folder.
        distribution: Name by which the package is installed, for the error.
        fix: How to install it, for the error.

    Raises:
        FileNotFoundError: If the package is not installed or lacks the file.
    """
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (path := Path(folder) / name).is_file():
            return path
    raise FileNotFoundError(
        f'{name} is in the package {distribution}, which is '
        f'{"installed without it" if folders else "not installed"}. {fix}'
    )


def check_sha256(path: str | Path, content: bytes, expected: str, fix: str) -> None:
    """Refuse a file that is not the one that was tested.

    Args:
        path: The file, for the error.
        content: Its bytes.
        expected: Their sha256 as hexadecimal digits.
        fix: How to get the right file, for the error.

    Raises:
        ValueError: If the sha256 differs.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(
            f'{path} is not the file that was tested: its sha256 is {found}, and '
            f'{expected} is expected. {fix}'
        )
