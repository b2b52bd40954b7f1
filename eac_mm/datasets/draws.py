"""Tell which sample a loader draws, and how often it did so before in the epoch.

A sample may be served several times in one epoch: by a sampler that balances classes,
by a wrapper that repeats a data set, by padding for several processes. Only the
process that runs the sampler sees all draws, so the count is made there and travels
to the workers with the index. With it goes the number of the leaf, the innermost data
set that has the sample: several leaves have samples of the same index.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.dist import all_gather_object, get_rank
from torch.utils.data import DataLoader, Dataset

from .transforms.seeding import drawing
from .wrappers import Origins, number_samples, origins, walk


class Draw(int):
    """An index whose sample was served before, or comes from another leaf than 0.

    Attributes:
        before: How often it was served before in this epoch.
        leaf: Number of the data set that it comes from.
    """

    def __new__(cls, index: int, before: int = 0, leaf: int = 0) -> 'Draw':
        """Make an index of its number, the earlier draws and the leaf."""
        draw = super().__new__(cls, index)
        draw.before = before
        draw.leaf = leaf
        return draw

    def __reduce__(self) -> tuple:
        return Draw, (int(self), self.before, self.leaf)


def draws_before(index: int) -> int:
    """Return how often the sample at an index was served before in this epoch."""
    return getattr(index, 'before', 0)


def count_draws(loader: DataLoader) -> None:
    """Let a loader's data set know, at every draw, the leaf and the earlier draws.

    The loader keeps its samplers and settings. Its data set is wrapped in
    :class:`CountedDataset`, its batches of indices in :class:`CountedIndices`.

    Raises:
        ValueError: If a data set that counts for itself is not the outermost one.
        TypeError: If it is unknown which sample is where in the data set; see
            :func:`~eac_mm.datasets.wrappers.origins`.
    """
    if isinstance(loader.dataset, CountedDataset):
        return
    for part in list(walk(loader.dataset))[1:]:
        if getattr(part, 'counts_draws', False):
            raise ValueError(
                f'{type(part).__name__} is inside {type(loader.dataset).__name__}, and '
                'it serves whole batches. Fix: make it the outermost data set, such as '
                'DeviceCache(RepeatDataset(...)).'
            )
    found = origins(loader.dataset)
    # DataLoader refuses plain assignment, because its arguments depend on each other.
    # The new ones stand for what they wrap.
    if loader.batch_sampler is None:
        singles = CountedIndices(loader.sampler, found, batched=False)
        object.__setattr__(loader, 'sampler', singles)
    else:
        batches = CountedIndices(loader.batch_sampler, found)
        object.__setattr__(loader, 'batch_sampler', batches)
    object.__setattr__(loader, 'dataset', CountedDataset(loader.dataset))


class CountedIndices:
    """The indices of a sampler, with leaf and number of earlier draws of each sample.

    Several processes count in one order: the first draw of each process, by rank,
    then the second of each, and so on. That is the order of the sequence which
    samplers deal to the processes in turn.

    Args:
        sampler: Gives the batches of one epoch, or its indices.
        found: Where the sample of each index comes from.
        batched: Whether ``sampler`` gives batches (lists of indices). Defaults to
            True.
    """

    def __init__(self, sampler: Any, found: Origins, batched: bool = True) -> None:
        self.counted = sampler
        self.samples = number_samples(found)
        self.leaf = found.source
        self.batched = batched

    def __iter__(self) -> Iterator[int | list[int]]:
        batches = list(self.counted) if self.batched else [list(self.counted)]
        flat = [index for batch in batches for index in batch]
        places = np.asarray(flat, np.int64)
        samples = self.samples[places]
        counts = earlier_draws(all_gather_object(samples))[get_rank()].tolist()
        draws = zip(flat, counts, self.leaf[places].tolist(), strict=True)
        indices = (Draw(*draw) if any(draw[1:]) else draw[0] for draw in draws)
        if not self.batched:
            yield from indices
            return
        for batch in batches:
            yield [next(indices) for _ in batch]

    def __len__(self) -> int:
        return len(self.counted)

    def __getattr__(self, name: str) -> Any:
        if name == 'counted' or name.startswith('__'):  # while it is copied
            raise AttributeError(name)
        return getattr(self.counted, name)


def earlier_draws(samples: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Count the earlier draws of each sample over all processes.

    Args:
        samples: The samples that each process draws, in order.

    Returns:
        How often each was drawn before, in the same shape.
    """
    sizes = [len(drawn) for drawn in samples]
    turns = np.concatenate([np.arange(size) for size in sizes])
    order = np.argsort(turns, kind='stable')  # by turn, then by rank
    ordered = np.concatenate(samples)[order]
    grouped = np.argsort(ordered, kind='stable')
    _, first, size = np.unique(ordered[grouped], return_index=True, return_counts=True)
    counts = np.empty(len(ordered), np.int64)
    counts[order[grouped]] = np.arange(len(ordered)) - np.repeat(first, size)
    return np.split(counts, np.cumsum(sizes)[:-1])


class CountedDataset(Dataset):
    """Serve a data set while :class:`SeedAugmentation` knows which draw it is.

    Everything else is that of the data set.

    Args:
        dataset: The data set. If it sets ``counts_draws``, it gets the indices as
            they are and counts for itself, by :func:`draws_before`.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __getitem__(self, index: int) -> Any:
        with drawing(draws_before(index), getattr(index, 'leaf', 0)):
            return self.dataset[index]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        """Serve a batch, as PyTorch's loader asks for it."""
        fetch = getattr(self.dataset, '__getitems__', None)
        plain = not any(isinstance(index, Draw) for index in indices)
        if fetch and (plain or getattr(self.dataset, 'counts_draws', False)):
            return fetch(indices)
        return [self[index] for index in indices]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        if name == 'dataset' or name.startswith('__'):  # while it is copied
            raise AttributeError(name)
        return getattr(self.dataset, name)
