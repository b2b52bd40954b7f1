"""Write files atomically: a name always stands for a whole file."""

import contextlib
import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

PART = '.part'


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that its name always stands for the old or the new content.

    The bytes go to a file beside it, are synced to the disk, and then take the name.

    Args:
        path: The file; its folder is made.
        content: All of its bytes.

    Raises:
        OSError: If the bytes cannot be written, such as on a full disk. The old
            file is then still there.
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
    """Sync a renaming to the disk; Windows neither needs nor allows it."""
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
        """Write ``obj`` with :func:`write_atomically`."""
        write_atomically(filepath, obj)


register_backend('atomic', AtomicBackend, force=True)


def remove_parts(folder: str | Path) -> None:
    """Remove the unfinished files of processes that were killed while writing."""
    for part in Path(folder).glob(f'*{PART}'):
        part.unlink(missing_ok=True)
