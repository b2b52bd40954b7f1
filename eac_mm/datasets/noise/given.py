"""Noisy labels from a file, matched to the samples of a data set."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .files import is_noise_file, read_noise_file
from .lists import ALLOWED, number_labels, read_column

ListReader = Callable[[Path], list[tuple[str, int]]]
# Files that no data set's own format is in.
ARRAYS = ('.npy', '.pt', '.pth', '.csv')


def read_given_labels(
    path: Path,
    clean: np.ndarray,
    classes: Sequence[str],
    names: Sequence[str],
    reader: ListReader | None = None,
    column: str | None = None,
) -> np.ndarray:
    """Read the noisy labels of a data set.

    Args:
        path: A file of ``tools/make_noise.py``, a list that ``reader`` reads, or a file
            of :mod:`~eac_mm.datasets.noise.lists`.
        clean: Clean labels of the data set, (N,).
        classes: Its class names.
        names: Names of its samples, by which a list is matched to them.
        reader: Reads the data set's own list format as pairs of name and label.
            Defaults to None: it has no such format.
        column: See :func:`~eac_mm.datasets.noise.lists.read_column`.

    Returns:
        Labels, int64 (N,), in the order of the data set.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is in no known format, has labels that name no class,
            lacks a sample, lists one more often than the data set has it, or belongs to
            other clean labels.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'noise_file {path} does not exist (seen from {Path.cwd()}). {ALLOWED} '
            'Fix: correct the path.'
        )
    if path.suffix not in ARRAYS and is_noise_file(path):
        return read_noise_file(path, clean, classes)[1]
    if reader is not None and path.suffix not in ARRAYS:
        rows = reader(path)
        numbers = np.array([label for _, label in rows], np.int64)
        return match(path, [name for name, _ in rows], numbers, names)
    found = read_column(path, column)
    if found.names is None and len(found.labels) != len(clean):
        raise ValueError(
            f'{path} has {len(found.labels)} labels without names, and the data set '
            f'{len(clean)} samples. Fix: give one label a sample, in the order of the '
            'data set, or name the samples.'
        )

    def arrange(labels: Sequence[Any]) -> np.ndarray:
        numbers = number_labels(path, labels, classes, found.lines)
        if found.names is None:
            return numbers
        listed = [name.replace('\\', '/') for name in found.names]
        return match(path, listed, numbers, names)

    if found.clean is not None:
        refuse_other_data(path, arrange(found.clean), clean, names)
    return arrange(found.labels)


def match(
    path: Path, listed: Sequence[str], labels: np.ndarray, names: Sequence[str]
) -> np.ndarray:
    """Return the label of each sample, by its name.

    A name that the data set has several times takes its label from one line, or from as
    many lines in their order. Further samples in the list are ignored.

    Raises:
        ValueError: If a sample is missing, or listed another number of times.
    """
    lines: dict[str, list[int]] = defaultdict(list)
    for name, label in zip(listed, labels.tolist(), strict=True):
        lines[name].append(label)
    missing = [name for name in names if name not in lines]
    if missing:
        raise ValueError(
            f'{path} lacks {len(missing)} of the {len(names)} samples (first: '
            f'{missing[0]}); it lists {list(listed[:2])}. Fix: give the list that '
            'belongs to this data set, with the names as in its own list.'
        )
    counts = Counter(names)
    twice = [name for name in counts if len(lines[name]) not in (1, counts[name])]
    if twice:
        raise ValueError(
            f'{path} lists {len(twice)} samples more than once (first: {twice[0]}). '
            'Fix: leave one line of each.'
        )
    served: Counter[str] = Counter()
    found = []
    for name in names:
        found.append(lines[name][min(served[name], len(lines[name]) - 1)])
        served[name] += 1
    return np.array(found, dtype=np.int64)


def refuse_other_data(
    path: Path, theirs: np.ndarray, clean: np.ndarray, names: Sequence[str]
) -> None:
    """Refuse a file whose own clean labels are not those of the data set.

    Raises:
        ValueError: With the number of samples that differ.
    """
    unlike = np.flatnonzero(theirs != clean)
    if len(unlike):
        raise ValueError(
            f'{path} has clean labels too, and {len(unlike)} of {len(clean)} differ '
            f'from those of the data set (first: {names[unlike[0]]}): it is in another '
            'order, or of other data. Fix: give the file of this data set and split.'
        )
