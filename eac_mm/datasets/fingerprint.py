"""Tell one data set from another without reading its images."""

import hashlib
import json
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from eac_mm.utils.plain import to_plain

from .noise import NoisyLabels
from .wrappers import origins

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
        ``clean_labels``. A data set that cannot list them has None instead.
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
    if all(hasattr(leaf, 'get_data_info') for leaf in leaves.sources):
        pairs = [_names_and_labels(leaf) for leaf in leaves.sources]
        found['names'] = _hash([names for names, _ in pairs], leaves)
        found['clean_labels'] = _hash([labels for _, labels in pairs], leaves)
    if all(isinstance(part, NoisyLabels) for part in labelled.sources):
        given = [part.get_gt_labels().tolist() for part in labelled.sources]
        found['labels'] = _hash(given, labelled)
    else:
        found['labels'] = found['clean_labels']
    return found


def _names_and_labels(dataset: Dataset) -> tuple[list[str], list]:
    names, labels = [], []
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        names.append(_name(info, getattr(dataset, 'data_root', None)))
        labels.append(to_plain(info.get('gt_label')))
    return names, labels


def _name(info: dict, root: str | None) -> str:
    path = info.get('img_path')
    if path is not None and root:
        path, root = Path(path), Path(root)
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
        path = path.name
    return str(info.get('name') or path or '')


def _hash(values: list[list[Any]], found: Any) -> str:
    """Hash one value a sample, given by source, in the order of the samples."""
    digest = hashlib.sha256()
    for source, index in zip(found.source, found.index, strict=True):
        line = json.dumps(values[int(source)][int(index)]) + '\n'
        digest.update(line.encode())
    return digest.hexdigest()[:DIGITS]
