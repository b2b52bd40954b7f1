"""The one walk through wrapped and concatenated data sets."""

from collections.abc import Iterator
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
        sources: The data sets that the samples come from, each once.
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
    numbers: dict[int, int] = {}  # by the id of a source
    sources: list[Dataset] = []
    source = []
    for part in found:
        for one in part.sources:
            if numbers.setdefault(id(one), len(sources)) == len(sources):
                sources.append(one)
        number = np.array([numbers[id(one)] for one in part.sources], np.int64)
        source.append(number[part.source])
    joined = Origins(
        sources,
        np.concatenate(source),
        np.concatenate([part.index for part in found]),
    )
    order = _order(dataset, len(joined.index))
    return Origins(joined.sources, joined.source[order], joined.index[order])


def number_samples(found: Origins) -> np.ndarray:
    """Number the samples so that equal numbers are the same sample of one source.

    Returns:
        A number for each index of the data set, int64 (N,).
    """
    sizes = [len(source) for source in found.sources]
    return np.cumsum([0, *sizes])[:-1][found.source] + found.index


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
