"""The one walk through wrapped and concatenated data sets."""

import pickle
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from mmengine.dataset import ClassBalancedDataset, RepeatDataset
from mmengine.runner.runner import _SlicedDataset
from torch.utils.data import ConcatDataset, Dataset, Subset


def parts_of(dataset: Dataset) -> list[Dataset]:
    """Return the data sets directly inside one, none if it wraps nothing."""
    if isinstance(dataset, _SlicedDataset):  # it forwards the attributes of another
        return [dataset._dataset]
    inner = getattr(dataset, 'dataset', None)
    return [inner] if inner is not None else list(getattr(dataset, 'datasets', ()))


def walk(dataset: Dataset) -> Iterator[Dataset]:
    """Visit a data set and everything nested in it, the outermost first."""
    yield dataset
    for part in parts_of(dataset):
        yield from walk(part)


def find(dataset: Dataset, kind: type | tuple[type, ...]) -> list[Any]:
    """List the data sets of a kind in a data set, itself included."""
    return [part for part in walk(dataset) if isinstance(part, kind)]


def transforms_of(dataset: Dataset, kind: type) -> Iterator[Any]:
    """Visit the transforms of a kind in all pipelines of a data set, each once."""
    seen = set()
    for part in walk(dataset):
        for transform in getattr(getattr(part, 'pipeline', None), 'transforms', ()):
            # A wrapper may forward the pipeline of the data set inside it.
            if isinstance(transform, kind) and id(transform) not in seen:
                seen.add(id(transform))
                yield transform


def part_with_pipeline(dataset: Dataset) -> Dataset:
    """Return the data set whose pipeline serves all samples of a data set.

    Raises:
        AttributeError: If there is no pipeline, or more than one.
    """
    parts = [p for p in walk(dataset) if getattr(p, 'pipeline', None) is not None]
    count = len({id(part.pipeline) for part in parts})
    if count != 1:
        name = type(dataset).__name__
        raise AttributeError(f'{name} has {count} pipelines, not one')
    return parts[-1]  # the innermost: wrappers forward it


class Origins(NamedTuple):
    """Where each sample of a data set comes from.

    Attributes:
        sources: The data sets that the samples come from.
        source: Position in ``sources`` for each sample, int64 (N,).
        index: Index in that data set, int64 (N,).
    """

    sources: list[Dataset]
    source: np.ndarray
    index: np.ndarray


def origins(dataset: Dataset, kind: type | tuple[type, ...] = ()) -> Origins:
    """Trace every sample of a data set to where it comes from.

    Args:
        dataset: A data set, wrapped or not. Wrappers of MMEngine, MMPretrain and
            PyTorch are known, and any that keeps length and order.
        kind: Stop at data sets of these classes. Defaults to none: go on to those
            that wrap nothing.

    Raises:
        TypeError: For an unknown wrapper that changes the number of samples.
    """
    parts = parts_of(dataset)
    if isinstance(dataset, _SlicedDataset):
        # num_batch_per_epoch: another length for the sampler, the same samples.
        return origins(parts[0], kind)
    if not parts or isinstance(dataset, kind):
        size = len(dataset)
        return Origins([dataset], np.zeros(size, np.int64), np.arange(size))
    found = [origins(part, kind) for part in parts]
    offsets = np.cumsum([0, *(len(part.sources) for part in found)])[:-1]
    source = [part.source + first for part, first in zip(found, offsets, strict=True)]
    joined = Origins(
        [one for part in found for one in part.sources],
        np.concatenate(source),
        np.concatenate([part.index for part in found]),
    )
    order = _order(dataset, len(joined.index))
    return Origins(joined.sources, joined.source[order], joined.index[order])


def same_samples(dataset: Dataset) -> np.ndarray:
    """Number the samples of a data set so that equal numbers are the same sample.

    Samples of several data sets are the same if index and annotation are, as those
    of one data set built twice.

    Returns:
        A number for each index of the data set, int64 (N,).

    Raises:
        TypeError: As :func:`origins` does.
    """
    found = origins(dataset)
    if len(found.sources) == 1:
        return found.index
    numbers: dict[tuple, int] = {}
    keys = [_keys_of(source) for source in found.sources]
    pairs = zip(found.source.tolist(), found.index.tolist(), strict=True)
    return np.array(
        [numbers.setdefault(keys[s](i), len(numbers)) for s, i in pairs], np.int64
    )


def _keys_of(dataset: Dataset) -> Callable[[int], tuple]:
    """Return what tells a sample of a data set from all others, by its index."""
    if hasattr(dataset, 'get_data_info'):
        return cache(lambda i: (i, hash(pickle.dumps(dataset.get_data_info(i)))))
    return lambda i: (i, id(dataset))


def _order(dataset: Dataset, inner: int) -> np.ndarray:
    """Return the index in the joined inner data sets for each sample."""
    if isinstance(dataset, ConcatDataset):
        return np.arange(inner)
    if isinstance(dataset, Subset):
        return np.asarray(dataset.indices, np.int64)
    if isinstance(dataset, RepeatDataset):
        return np.arange(len(dataset)) % inner
    if isinstance(dataset, ClassBalancedDataset):
        return np.asarray(dataset.repeat_indices, np.int64)
    if len(dataset) != inner:
        raise TypeError(
            f'{type(dataset).__name__} has {len(dataset)} samples and wraps {inner}: '
            'which sample comes from where is unknown. Fix: use a wrapper of MMEngine, '
            'MMPretrain or PyTorch, or derive yours from torch.utils.data.Subset.'
        )
    return np.arange(inner)
