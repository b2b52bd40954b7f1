"""One training at a time in a folder."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from .signals import is_first_process

# Loader workers of a training that was killed hold its lock until they notice, which
# PyTorch's do within 5 s.
WAIT = 15.0
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def alone_in(folder: str | Path, launcher: str = 'none') -> Iterator[None]:
    """Keep every other training out of a folder, until the block ends.

    The lock (``.lock``) ends with the process that holds it, however that ends. Of a
    job of several processes the first one holds it. A file system without locks is
    used without. A folder that did not exist and is left empty is removed.

    Args:
        folder: The folder, which is made if there is none.
        launcher: What started the processes of this training. Defaults to ``'none'``:
            this process is the only one, whatever job it belongs to.

    Raises:
        RuntimeError: If another process is in the folder for 15 seconds.
    """
    if launcher != 'none' and not is_first_process():
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
            'choose another --work-dir. If there is none, as after the crash of '
            f'another machine, delete {folder / ".lock"}.'
        ) from error
    except NotImplementedError:
        pass
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file, but on release
            if made and [path.name for path in folder.iterdir()] == ['.lock']:
                (folder / '.lock').unlink()
        lock.release()
        if made:
            with suppress(OSError):  # not empty, perhaps by now
                folder.rmdir()
