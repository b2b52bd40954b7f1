"""One training at a time in a folder."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from .signals import is_first_process

# Loader workers of a training that was killed hold its lock until they notice, which
# PyTorch's do within 5 s.
WAIT = 15.0


@contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Keep every other training out of a folder, until the block ends.

    The lock (``.lock``) ends with the process that holds it, however that ends. Of a
    job of several processes the first one holds it. A file system without locks is
    used without. A folder that did not exist and is left empty is removed.

    Raises:
        RuntimeError: If another process is in the folder for 15 seconds.
    """
    if not is_first_process():
        yield
        return
    folder = Path(folder)
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / '.lock', timeout=WAIT)
    try:
        lock.acquire()
    except Timeout as error:
        raise RuntimeError(
            f'another process trains in {folder}. Fix: wait for it, or end it, or '
            'choose another --work-dir.'
        ) from error
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        lock.release()
        if made and [path.name for path in folder.iterdir()] == ['.lock']:
            shutil.rmtree(folder)
