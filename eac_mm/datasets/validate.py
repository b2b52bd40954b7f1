"""Check arguments, files and folders; every data set of faces shares these checks.

Each error says what was found, what is allowed and how to fix it. ``fix`` is the
data set's own sentence ("Fix: ...") on where its files come from.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from .listing import is_foreign


def require_choice(name: str, value: object, allowed: Sequence) -> None:
    """Check an argument that takes one of a few values.

    Raises:
        ValueError: If ``value`` is not one of ``allowed``.
    """
    if value not in allowed:
        choices = ', '.join(map(repr, allowed))
        raise ValueError(f'{name}={value!r} is unknown. Fix: choose one of {choices}.')


def require_folder(path: Path, fix: str) -> None:
    """Check that a folder exists.

    Raises:
        FileNotFoundError: If ``path`` is not a folder.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"The folder '{path}' does not exist. {fix}")


def require_file(path: Path, fix: str) -> None:
    """Check that a file exists.

    Raises:
        FileNotFoundError: If ``path`` is not a file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"The file '{path}' does not exist. {fix}")


def require_faces(faces: Sequence, path: str | Path, split: str, fix: str) -> None:
    """Check that a list has at least one face of the split.

    Raises:
        ValueError: If ``faces`` is empty.
    """
    if not faces:
        raise ValueError(f"'{path}' lists no face of split '{split}'. {fix}")


def require_images(
    folder: Path, names: Iterable[str], fix: str, source: str | Path = ''
) -> None:
    """Check that a folder holds every image of a list.

    The folder is read once. One ``stat`` per file would take minutes for tens of
    thousands of faces on a network drive.

    Args:
        folder: The folder of the images.
        names: Their file names.
        fix: How to get them.
        source: The file that lists them, for the error.

    Raises:
        FileNotFoundError: If the folder or any of the images is missing.
    """
    require_folder(folder, fix)
    with os.scandir(folder) as entries:
        present = {entry.name for entry in entries}
    if all(map(is_foreign, present)):
        raise FileNotFoundError(f"The image folder '{folder}' is empty. {fix}")
    names = dict.fromkeys(names)
    missing = [name for name in names if name not in present]
    if missing:
        by = f" (by '{source}')" if source else ''
        raise FileNotFoundError(
            f"{len(missing)} of {len(names)} listed images{by} are not in '{folder}': "
            f'{", ".join(missing[:3])}{", ..." if len(missing) > 3 else ""}. {fix}'
        )
