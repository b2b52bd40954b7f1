"""From an audit to the recipes that train on what it found."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mmengine import Config
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

from eac_mm.datasets import NoisyLabels
from eac_mm.datasets.images import without_cache
from eac_mm.datasets.left_out import write_left_out

LEFT_OUT = 'left_out.txt'


def write_recipes(
    cfg: Config, dataset: Dataset, suspects: np.ndarray, labels: Path, folder: Path
) -> list[Path]:
    """Write two recipes that train as before, but without the suspect labels.

    ``relabelled.py`` trains on the corrected labels. ``removed.py`` leaves the samples
    out that ``left_out.txt`` lists. Both train from the start, without a cache.

    Args:
        cfg: The audited recipe; it is not changed.
        dataset: What numbers its training samples.
        suspects: Their indices.
        labels: The noise file with the corrected labels.
        folder: Where the files go.

    Returns:
        The files.
    """
    listed, relabelled, removed = (
        Path(folder, name) for name in (LEFT_OUT, 'relabelled.py', 'removed.py')
    )
    write_left_out(listed, dataset, suspects)
    data = without_cache(copy.deepcopy(cfg.train_dataloader.dataset.to_dict()))
    given = dict(type='NoisyLabels', noise_file=str(labels.resolve()))
    _dump(cfg, changed(data, lambda part: with_labels(part, given)), relabelled)
    kept = dict(type='LeftOut', file=str(listed.resolve()))
    _dump(cfg, changed(data, lambda part: dict(kept, dataset=part)), removed)
    return [listed, relabelled, removed]


def changed(data: dict, change: Callable[[dict], dict]) -> dict:
    """Change the part of a data set's config that numbers the samples.

    That is its :class:`NoisyLabels`, or else the innermost data set.
    """
    if 'dataset' not in data or _is_noisy(data):
        return change(data)
    return dict(data, dataset=changed(data['dataset'], change))


def with_labels(data: dict, given: dict) -> dict:
    """Return the config of a data set with other noisy labels, ``given``."""
    if not _is_noisy(data):
        return dict(given, dataset=data)
    noise = ('kind', 'rate', 'transition', 'noise_column')
    kept = {key: value for key, value in data.items() if key not in noise}
    return dict(kept, noise_file=given['noise_file'])


def _is_noisy(data: dict) -> bool:
    kind = data['type']
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    return issubclass(kind, NoisyLabels)


def _dump(cfg: Config, data: dict, path: Path) -> None:
    cfg = copy.deepcopy(cfg)
    cfg.train_dataloader.dataset = data
    if cfg.get('resume'):  # the audited run's own checkpoint
        cfg.resume, cfg.load_from = False, None
    cfg.pop('work_dir', None)
    cfg.dump(path)
