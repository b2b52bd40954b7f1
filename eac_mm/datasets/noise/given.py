"""Noisy labels from a file, in either of its two formats."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from .files import is_noise_file, read_noise_file

ListReader = Callable[[Path], list[tuple[str, int]]]


def read_given_labels(
    path: Path,
    clean: np.ndarray,
    classes: Sequence[str],
    names: Sequence[str],
    reader: ListReader | None = None,
) -> np.ndarray:
    """Read the noisy labels of a data set.

    Args:
        path: A file of ``tools/make_noise.py``, or a list that ``reader`` reads.
        clean: Clean labels of the data set, (N,).
        classes: Its class names.
        names: Names of its samples, by which a list is matched to them.
        reader: Reads the data set's own list format as pairs of name and label.
            Defaults to None: it has no such format.

    Returns:
        Labels, int64 (N,), in the order of the data set.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is in neither format, lists a sample twice or lacks
            one.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'noise_file {path} does not exist (seen from {Path.cwd()}). Fix: write '
            'one with tools/make_noise.py, or correct the path.'
        )
    if is_noise_file(path):
        return read_noise_file(path, clean, classes)[1]
    if reader is None:
        raise ValueError(
            f'{path} is no file of tools/make_noise.py, and the data set has no list '
            'format of its own. Fix: write one with tools/make_noise.py.'
        )
    rows = reader(path)
    listed = dict(rows)
    missing = [name for name in names if name not in listed]
    if missing:
        raise ValueError(
            f'{path} lacks {len(missing)} of the {len(names)} samples (first: '
            f'{missing[0]}). Fix: give the list that belongs to this data set.'
        )
    twice = [name for name, n in Counter(name for name, _ in rows).items() if n > 1]
    if twice:
        raise ValueError(
            f'{path} lists {len(twice)} samples more than once (first: {twice[0]}). '
            'Fix: leave one line of each.'
        )
    return np.array([listed[name] for name in names], dtype=np.int64)
