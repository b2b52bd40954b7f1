"""Given labels from a file, in whichever format it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .files import is_noise_file, read_noise_file

if TYPE_CHECKING:
    from .noisy_labels import NoisyLabels


def read_given_labels(path: Path, noisy: NoisyLabels) -> np.ndarray:
    """Read the given labels of a data set.

    Args:
        path: A file of ``tools/make_noise.py``, or a list in the wrapped data
            set's own format.
        noisy: The data set whose clean labels are known already.

    Returns:
        Labels, shape (N,), in the order of the data set.

    Raises:
        FileNotFoundError: Where the file does not exist.
        ValueError: Where it is in neither format, or lists a sample twice or
            not at all.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'noise_file {path} does not exist (seen from {Path.cwd()}). Mend: '
            'write one with tools/make_noise.py, or mend the path.'
        )
    if is_noise_file(path):
        return read_noise_file(path, noisy.clean_labels, noisy.CLASSES)[1]
    kind = type(noisy.dataset).__name__
    if not hasattr(noisy.dataset, 'read_label_list'):
        raise ValueError(
            f'{path} is no file of tools/make_noise.py, and {kind} has no list format '
            'of its own. Mend: write one with tools/make_noise.py.'
        )
    rows = noisy.dataset.read_label_list(path)
    listed = dict(rows)
    names = [noisy.name_of(i) for i in range(len(noisy.dataset))]
    missing = [name for name in names if name not in listed]
    if missing:
        raise ValueError(
            f'{path} lacks {len(missing)} of the {len(names)} samples of {kind} '
            f'(first: {missing[0]}). Mend: give the list that belongs to this data '
            'set.'
        )
    twice = [name for name, n in Counter(name for name, _ in rows).items() if n > 1]
    if twice:
        raise ValueError(
            f'{path} lists {len(twice)} samples more than once (first: {twice[0]}). '
            'Mend: leave one line of each.'
        )
    return np.array([listed[name] for name in names])
