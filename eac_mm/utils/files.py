"""Files that are whole or not there."""

import contextlib
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

CHECKPOINT_NAME = re.compile(r'(?:epoch|iter)_(\d+)\.pth')
PART = '.part'


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that its name always stands for the old or the new one.

    The bytes go to a file beside it, reach the disk, and take the name then.

    Args:
        path: The file; its folder is made.
        content: All of it.

    Raises:
        OSError: Where the bytes cannot be written, such as on a full disk; what
            stood under the name before stands there still.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'{path.name}.{os.getpid()}{PART}')
    try:
        with part.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a renaming last; Windows neither needs nor allows it."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


class AtomicBackend(LocalBackend):
    """MMEngine's file backend for local files, writing atomically.

    MMEngine 0.10.7 writes under the final name: a kill in the middle leaves half
    a checkpoint. Use it as ``backend_args=dict(backend='atomic')``.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``obj``; see :func:`write_atomically`."""
        write_atomically(filepath, obj)


register_backend('atomic', AtomicBackend, force=True)


def list_checkpoints(folder: str | Path) -> list[Path]:
    """``epoch_N.pth`` or ``iter_N.pth`` in a folder, newest (largest N) first."""
    numbered = [
        (int(match[1]), path)
        for path in Path(folder).glob('*.pth')
        if (match := CHECKPOINT_NAME.fullmatch(path.name))
    ]
    return [path for _, path in sorted(numbered, reverse=True)]


def damage(path: str | Path) -> str | None:
    """What is wrong with a checkpoint, or None where all its bytes are right.

    PyTorch writes a zip archive with a checksum for each tensor, and does not
    check them when it loads.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except (OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
        return str(error) or type(error).__name__
    return f'the checksum of {bad} is wrong' if bad else None


def intact_checkpoints(folder: str | Path) -> Iterator[tuple[Path, str | None]]:
    """Checkpoints of a folder, newest first, each with its damage or None."""
    for path in list_checkpoints(folder):
        yield path, damage(path)


def remove_parts(folder: str | Path) -> None:
    """Remove what killed processes left of files that they were writing."""
    for part in Path(folder).glob(f'*{PART}'):
        part.unlink(missing_ok=True)
