"""A file of what networks say of training samples that they were not trained on.

``tools/cross_fit.py`` writes it. It is a plain NumPy file; row i is the sample of
``sample_idx`` i.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .training_records import read_arrays, write_arrays

KEYS = {'noisy_labels', 'classes', 'probabilities', 'facts'}


@dataclass(frozen=True)
class FoldPredictions:
    """Predictions over k folds, each by a network that was trained on the others.

    Attributes:
        path: The file.
        noisy_labels: Labels trained on, int64 (samples,).
        clean_labels: Clean labels, int64 (samples,); None if they are not known.
        classes: Names of the classes, in the order of the labels and probabilities.
        paths: Path of each image, as the data set gave it; None if it gives none.
        probabilities: Predicted probabilities, float32 (samples, classes).
        folds: Number of folds.
        passes: How often each image went through a backbone, in all trainings and in
            the prediction; None if the trainings did not go by epochs.
        fingerprint: Of the data, :func:`eac_mm.datasets.fingerprint.fingerprint`.
    """

    path: Path
    noisy_labels: np.ndarray
    clean_labels: np.ndarray | None
    classes: tuple[str, ...]
    paths: tuple[str, ...] | None
    probabilities: np.ndarray
    folds: int
    passes: float | None
    fingerprint: dict[str, Any]


def write_fold_predictions(
    path: str | Path,
    samples: Mapping[str, np.ndarray | None],
    probabilities: np.ndarray,
    folds: int,
    passes: float | None,
    fingerprint: Mapping[str, Any],
) -> None:
    """Write predictions over folds, atomically.

    Args:
        path: The file, ``....npz``.
        samples: ``noisy_labels``, ``clean_labels``, ``classes`` and ``paths``.
        probabilities: As in :class:`FoldPredictions`, like the others.
        folds: Number of folds.
        passes: Backbone passes an image.
        fingerprint: Of the data, plain values.
    """
    facts = dict(folds=folds, passes=passes, fingerprint=dict(fingerprint))
    arrays = dict(samples, probabilities=probabilities.astype(np.float32))
    arrays['facts'] = np.array(json.dumps(facts))
    write_arrays(Path(path), arrays, compress=True)


def read_fold_predictions(path: str | Path) -> FoldPredictions:
    """Read the file of :func:`write_fold_predictions`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or another file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'{path} does not exist. Fix: name the .npz file of tools/cross_fit.py.'
        )
    arrays = read_arrays(path)
    if lacking := KEYS - set(arrays):
        raise ValueError(
            f'{path} has no {", ".join(sorted(lacking))}: it does not hold predictions '
            'over folds. Fix: name the .npz file of tools/cross_fit.py.'
        )
    paths = arrays.get('paths')
    return FoldPredictions(
        path=path,
        noisy_labels=arrays['noisy_labels'],
        clean_labels=arrays.get('clean_labels'),
        classes=tuple(arrays['classes'].tolist()),
        paths=None if paths is None else tuple(paths.tolist()),
        probabilities=arrays['probabilities'],
        **json.loads(arrays['facts'].item()),
    )
