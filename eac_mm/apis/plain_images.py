"""Training images as they are, without augmentation."""

import copy
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from mmengine import Config
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

from eac_mm.datasets.images import without_cache

BATCH = 128


def plain_images(cfg: Config) -> dict:
    """Return the config of the training data, with the validation's pipeline."""
    dataset = copy.deepcopy(cfg.train_dataloader.dataset)
    innermost(dataset)['pipeline'] = innermost(cfg.val_dataloader.dataset)['pipeline']
    return dataset


def as_tested(cfg: Config) -> Dataset:
    """Build a recipe's training data with the transforms of its validation data.

    A cache around it is left out.

    Raises:
        ValueError: If the recipe joins several data sets, or has no validation data.
    """
    measured = (cfg.get('val_dataloader') or {}).get('dataset')
    single = 'datasets' not in innermost(cfg.train_dataloader.dataset)
    if measured is None or 'pipeline' not in innermost(measured) or not single:
        raise ValueError(
            f'{cfg.filename}: figures show the training images through the transforms '
            'of val_dataloader, and need one data set of each. Fix: name a recipe with '
            'one training data set and a val_dataloader.'
        )
    return DATASETS.build(without_cache(plain_images(cfg)))


def batches(data: Dataset, indices: Iterable[int]) -> Iterator[list[Any]]:
    """Visit samples of a data set in an order, as lists of at most 128."""
    items = (data[int(index)] for index in indices)
    while batch := list(islice(items, BATCH)):
        yield batch


def innermost(dataset: dict) -> dict:
    """Return the config that wrappers of one data set have inside."""
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset
