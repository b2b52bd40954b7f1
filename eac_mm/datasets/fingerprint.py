"""Tell one data set from another without reading its images."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from eac_mm.utils.plain import to_plain

from .labels import Annotations, read_annotations
from .noise import NoisyLabels
from .wrappers import Origins, number_samples, origins

Labels = np.ndarray | list  # int64 (N,), or a list if they are anything else

DIGITS = 16


def fingerprint(dataset: Dataset) -> dict:
    """Describe a data set by its samples, in their order.

    It sees which samples there are, their names, and their labels. It does not see
    pixels: images that were replaced under the same name go unnoticed. Files may
    move: names count from the data root.

    Args:
        dataset: A data set, wrapped or not.

    Returns:
        Plain values: ``samples`` (their number), ``classes`` (names or None), and
        a hash each for ``names``, ``labels`` (those trained on) and
        ``clean_labels``. What a data set cannot list is None. With
        :class:`~eac_mm.datasets.AnnotatedLabels`, a hash for ``annotator_labels`` too.
    """
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    found = dict(
        samples=len(dataset),
        classes=to_plain(classes),
        names=None,
        labels=None,
        clean_labels=None,
    )
    try:
        leaves = origins(dataset)
        labelled = origins(dataset, NoisyLabels)
    except TypeError:  # an unknown wrapper: which sample is which cannot be told
        return found
    read = cache(_names_and_labels)  # most leaves are asked twice
    names, clean = zip(*map(read, leaves.sources), strict=True)
    labels = [
        part.get_gt_labels() if isinstance(part, NoisyLabels) else read(part)[1]
        for part in labelled.sources
    ]
    found['names'] = _hash(names, leaves)
    found['clean_labels'] = _hash(clean, leaves)
    found['labels'] = _hash(labels, labelled)
    annotated = [getattr(part, 'annotator_labels', None) for part in labelled.sources]
    if any(rows is not None and rows.size for rows in annotated):
        rows = [None if part is None else part.tolist() for part in annotated]
        found['annotator_labels'] = _hash(rows, labelled)
    return found


def _names_and_labels(dataset: Dataset) -> tuple[list[str] | None, Labels | None]:
    """Read names and labels of a data set that wraps none; None if it has none."""
    if not hasattr(dataset, 'get_data_info'):
        try:
            return None, Annotations(dataset).read_labels()
        except (TypeError, ValueError):  # it says nothing, or no single integers
            return None, None
    root = getattr(dataset, 'data_root', None)
    # As it was given, and as pathlib writes it.
    roots = {f'{str(one).rstrip("/")}/' for one in (root, Path(root))} if root else ()
    roots = tuple(roots)
    names, labels = [], []
    for info in read_annotations(dataset):
        names.append(_name(info, roots))
        labels.append(info.get('gt_label'))
    if all(isinstance(label, int | np.integer) for label in labels):
        return names, np.array(labels, np.int64)
    return names, [to_plain(label) for label in labels]


def _name(info: dict, roots: tuple[str, ...]) -> str:
    """Return a path below the data root, else the name, else the path."""
    path = info.get('img_path')
    if path is not None and roots:
        path = str(path)
        for root in roots:
            if path.startswith(root):
                return path.removeprefix(root).lstrip('/')
        path = path.rpartition('/')[2]
    return str(info.get('name') or path or '')


def _hash(values: Sequence[Any], found: Origins) -> str | None:
    """Hash one value a sample in the order of the samples.

    Args:
        values: The values of each source; None if it cannot list them.
        found: Which of them each sample has.

    Returns:
        The hash, or None if no source can list them.
    """
    if all(value is None for value in values):
        return None
    order = number_samples(found)
    if all(isinstance(value, np.ndarray) for value in values):
        data = np.concatenate(values)[order].astype('<i8').tobytes()
    else:
        pairs = zip(values, found.sources, strict=True)
        each = [v for value, source in pairs for v in _listed(value, len(source))]
        data = json.dumps([each[i] for i in order.tolist()]).encode()
    return hashlib.sha256(data).hexdigest()[:DIGITS]


def _listed(value: Labels | None, size: int) -> list:
    if value is None:
        return [None] * size
    return value.tolist() if isinstance(value, np.ndarray) else value
