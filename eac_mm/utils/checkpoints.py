"""The files of a run in its work directory: checkpoints, result, and their state."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .training_records import record_files

CHECKPOINT_NAME = re.compile(r'(?:epoch|iter)_(\d+)\.pth')
# MMEngine's CheckpointHook also keeps the best and publishes: epoch_3-0123abcd.pth.
WEIGHTS_NAME = re.compile(r'(?:epoch|iter)_\d+(?:-[0-9a-f]{8})?\.pth|best_.+\.pth')
RESULT = 'result.json'
LAST = 'last_checkpoint'
# Under which names files of weights hold them, if they do not hold them alone.
WRAPPERS = ('state_dict', 'model_state_dict', 'model', 'net')


# How a file of torch.save begins; before torch 1.6, a number inside a pickle.
TORCH_ZIP = b'PK\x03\x04'
TORCH_OLD = b'l\xfc\x9cF\xf9 j\xa8P\x19'


PICKLE = b'\x80'  # refused by whoever loads it, with the reason


def format_of(head: bytes) -> str | None:
    """Tell the format of a file of weights by its first 32 bytes.

    Returns:
        ``'zip'`` or ``'legacy'`` (torch.save since and before PyTorch 1.6),
        ``'safetensors'``, or None for anything else.
    """
    if head.startswith(TORCH_ZIP):
        return 'zip'
    if TORCH_OLD in head:
        return 'legacy'
    # The length of a header, then the header: JSON.
    return 'safetensors' if head[8:10] == b'{"' else None


def refuse_foreign(path: str | Path) -> None:
    """Refuse a file that ``torch.save`` did not write, without loading it.

    Raises:
        ValueError: Saying what it is, and what to do.
    """
    with Path(path).open('rb') as file:
        head = file.read(32)
    found = format_of(head)
    if found == 'safetensors':
        raise ValueError(
            f'{path} is a safetensors file. Fix: python tools/model_converters/'
            f'convert.py {path} weights.pth, and name that.'
        )
    if found is None and head and not head.startswith(PICKLE):
        raise ValueError(
            f'{path} is no checkpoint: it begins with {head[:16]!r}. Fix: name a file '
            'of torch.save, such as epoch_N.pth.'
        )


def weights_in(content: Any) -> Any:
    """Return what a file holds under the first of :data:`WRAPPERS`, else all of it."""
    for name in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            return content[name]
    return content


def list_checkpoints(folder: str | Path) -> list[Path]:
    """List ``epoch_N.pth`` and ``iter_N.pth`` of a folder, the largest N first."""
    numbered = [
        (int(match[1]), path)
        for path in Path(folder).glob('*.pth')
        if (match := CHECKPOINT_NAME.fullmatch(path.name))
    ]
    return [path for _, path in sorted(numbered, reverse=True)]


def damage(path: str | Path) -> str | None:
    """Return what is wrong with a checkpoint, None if all its bytes are right.

    PyTorch writes a zip archive with a checksum for each tensor, and does not
    check them when it loads. The format before PyTorch 1.6 has none: what is cut off
    is seen when it is loaded.
    """
    try:
        with Path(path).open('rb') as file:
            if format_of(file.read(32)) == 'legacy':
                return None
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except (OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
        return str(error) or type(error).__name__
    return f'the checksum of {bad} is wrong' if bad else None


def intact_checkpoints(folder: str | Path) -> Iterator[tuple[Path, str | None]]:
    """Visit the checkpoints of a folder, newest first, each with its damage or None."""
    for path in list_checkpoints(folder):
        yield path, damage(path)


def newest_whole(folder: str | Path) -> Path | None:
    """Return the newest checkpoint of a folder that is not damaged."""
    whole = (path for path, fault in intact_checkpoints(folder) if fault is None)
    return next(whole, None)


def stamps(folder: str | Path) -> set[tuple[Path, int, int]]:
    """Return the checkpoints of a folder as path, time and inode.

    A checkpoint that is written again has another stamp.
    """
    found = [(path, path.stat()) for path in list_checkpoints(folder)]
    return {(path, stat.st_mtime_ns, stat.st_ino) for path, stat in found}


def run_files(folder: str | Path) -> list[Path]:
    """List what a training wrote to a folder and another one would replace.

    These are its checkpoints (``epoch_*.pth``, ``iter_*.pth``, ``best_*.pth``),
    ``result.json``, ``last_checkpoint`` and its records
    (:mod:`~eac_mm.utils.training_records`). Logs are not among them: each run has
    a folder of its own for them, named after its time.
    """
    found = (
        path
        for path in Path(folder).glob('*')
        if path.name in (RESULT, LAST) or WEIGHTS_NAME.fullmatch(path.name)
    )
    return [*sorted(found), *record_files(folder)]


def refuse_run_files(folder: str | Path) -> None:
    """Keep a new run out of a folder that holds another one.

    Raises:
        ValueError: If the folder holds any of :func:`run_files`.
    """
    found = [str(path.relative_to(folder)) for path in run_files(folder)]
    if found:
        more = f' and {len(found) - 5} more' if len(found) > 5 else ''
        raise ValueError(
            f'{folder} holds another run ({", ".join(found[:5])}{more}), and a new run '
            'would mix with it. Fix: --resume to go on with it, --overwrite to delete '
            'these files and start anew, or another --work-dir.'
        )


def remove_run_files(folder: str | Path) -> list[str]:
    """Delete :func:`run_files` and return their names; all else stays."""
    found = run_files(folder)
    for path in found:
        path.unlink(missing_ok=True)
    return [str(path.relative_to(folder)) for path in found]
