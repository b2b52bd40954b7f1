import copy
import pickle
from collections import Counter

import numpy as np
import pytest
import torch
from mmengine.dataset import ClassBalancedDataset, DefaultSampler, RepeatDataset
from mmpretrain.datasets import RepeatAugSampler
from mmpretrain.registry import DATASETS
from ranks import in_two_processes
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    RandomSampler,
    Subset,
    WeightedRandomSampler,
)

from eac_mm.datasets import SeedAugmentation
from eac_mm.datasets.draws import Draw, count_draws, draws_before, earlier_draws
from eac_mm.datasets.wrappers import transforms_of
from eac_mm.engine import ClassBalancedSampler

SEED, EPOCH = 3, 2


class Drawn:
    """In place of an augmentation: the sample is its index and what NumPy draws."""

    def __call__(self, results):
        row = [results['sample_idx'], np.random.random()]
        return torch.tensor(row, dtype=torch.float64)


def faces(size=6, seed=0):
    """Labels 0 and 1, of which 1 is rare."""
    base = DATASETS.get('mmpretrain.BaseDataset')

    def load(self):
        labels = [int(i % 5 == 4) for i in range(size)]
        return [dict(gt_label=y, img_path=f'{seed}/{i}') for i, y in enumerate(labels)]

    kind = type('Faces', (base,), dict(load_data_list=load))
    pipeline = [SeedAugmentation(), Drawn()]
    return kind(ann_file='', metainfo=dict(classes=('a', 'b')), pipeline=pipeline)


def stack(samples):
    return torch.stack(samples)


def make_loader(dataset, sampler=None, workers=0, batch_size=4, **kwargs):
    generator = torch.Generator().manual_seed(1)
    if isinstance(sampler, type) and issubclass(sampler, RandomSampler):
        sampler = sampler(dataset, replacement=True, generator=generator)
    elif isinstance(sampler, type) and issubclass(sampler, WeightedRandomSampler):
        weights = np.linspace(1, 3, len(dataset)).tolist()
        sampler = sampler(weights, 2 * len(dataset), generator=generator)
    elif callable(sampler):
        sampler = sampler(dataset, seed=7)
    loader = DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=stack if batch_size else None,
        **kwargs,
    )
    for transform in transforms_of(dataset, SeedAugmentation):
        transform.set_epoch(SEED, EPOCH)
    return loader


def served(loader):
    """(index, number) of all samples, in order; workers are left running."""
    batches = list(loader)
    rows = torch.cat(batches) if batches[0].dim() == 2 else torch.stack(batches)
    return list(map(tuple, rows.tolist()))


def number(index, before, leaf=0):
    """What NumPy draws first for a sample, by itself."""
    words = [SEED, EPOCH, index, before] if before else [SEED, EPOCH, index]
    if leaf:
        words = [SEED, EPOCH, index, before, leaf]
    state = np.random.SeedSequence(words).generate_state(2)[0]
    return np.random.RandomState(state).random()


def expected(order):
    """(index, number) of samples served in this order: index, or (index, leaf)."""
    seen = Counter()
    rows = []
    for sample in order:
        index, leaf = sample if isinstance(sample, tuple) else (sample, 0)
        rows.append((index, number(index, seen[index, leaf], leaf)))
        seen[index, leaf] += 1
    return rows


SAMPLERS = [
    ClassBalancedSampler,
    RepeatAugSampler,
    WeightedRandomSampler,
    RandomSampler,
]


@pytest.mark.parametrize('sampler', SAMPLERS)
def test_samplers_that_repeat(sampler):
    loader = make_loader(faces(12), sampler)
    count_draws(loader)
    rows = served(loader)
    order = [int(index) for index, _ in rows]
    assert max(Counter(order).values()) > 1
    assert rows == expected(order)
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    ('wrap', 'indices'),
    [
        (lambda d: RepeatDataset(d, 3), [*range(6)] * 3),
        (lambda d: RepeatDataset(NoisyLabelsOf(d), 2), [*range(6)] * 2),
        (lambda d: Subset(d, [2, 0, 2, 2]), [2, 0, 2, 2]),
        (lambda d: Subset(Subset(d, [2, 0, 2]), [0, 1, 0, 2]), [2, 0, 2, 2]),
        (lambda d: ConcatDataset([d, Subset(d, [5, 1])]), [*range(6), 5, 1]),
        (
            lambda d: ConcatDataset([d, faces(3), d, Subset(faces(3), [2, 2])]),
            [*range(6), (0, 1), (1, 1), (2, 1), *range(6), (2, 2), (2, 2)],
        ),
        (lambda d: ClassBalancedDataset(d, 0.5), [0, 1, 2, 3, 4, 4, 5]),
    ],
)
def test_wrappers_that_repeat(wrap, indices):
    loader = make_loader(wrap(faces()))
    count_draws(loader)
    assert served(loader) == expected(indices)


def NoisyLabelsOf(dataset):
    """A wrapper that keeps order and length; RepeatDataset takes no other class."""
    base = DATASETS.get('mmpretrain.BaseDataset')

    class Same(base):
        def __init__(self):
            self.dataset = dataset
            self._metainfo = dataset.metainfo

        def full_init(self):
            pass

        def __len__(self):
            return len(dataset)

        def __getitem__(self, idx):
            return dataset[idx]

    return Same()


@pytest.mark.parametrize('workers', [0, 1, 4])
def test_workers_and_epochs(workers):
    """Every epoch counts from the start, whoever serves it."""
    loader = make_loader(RepeatDataset(faces(), 3), RandomSampler, workers)
    count_draws(loader)
    count_draws(loader)  # no second time
    for _ in range(2):
        rows = served(loader)
        assert rows == expected([int(index) for index, _ in rows])
    if workers:
        loader._iterator._shutdown_workers()


def test_spawned_workers(tmp_path):
    draw = pickle.loads(pickle.dumps(Draw(5, 2, 3)))
    assert (draw, draws_before(draw), draw.leaf, type(draw)) == (5, 2, 3, Draw)
    counted = make_loader(faces())
    count_draws(counted)
    dataset = copy.deepcopy(counted.dataset)
    assert type(dataset) is type(counted.dataset)
    assert dataset.metainfo == counted.dataset.metainfo
    assert len(dataset) == 6
    with pytest.raises(AttributeError):
        dataset.nothing  # noqa: B018


def test_without_repetition_nothing_changes():
    plain, counted = (make_loader(faces(), DefaultSampler) for _ in range(2))
    inner, sampler = counted.dataset, counted.sampler
    count_draws(counted)
    assert served(counted) == served(plain)
    assert len(counted) == len(plain)
    assert (counted.dataset.dataset, counted.sampler) == (inner, sampler)
    assert counted.batch_sampler.drop_last is False
    assert all(type(i) is int for batch in counted.batch_sampler for i in batch)


def test_without_batches():
    loader = make_loader(faces(), sampler=[4, 1, 4], batch_size=None)
    count_draws(loader)
    assert served(loader) == expected([4, 1, 4])
    assert len(loader) == 3


def test_a_batch_sampler_of_ones_own():
    sampler = BatchSampler([4, 1, 4, 4, 0], 2, drop_last=True)
    loader = DataLoader(faces(), batch_sampler=sampler, collate_fn=stack)
    for transform in transforms_of(loader.dataset, SeedAugmentation):
        transform.set_epoch(SEED, EPOCH)
    count_draws(loader)
    assert served(loader) == expected([4, 1, 4, 4])


class Batched(torch.utils.data.Dataset):
    """Serves whole batches, and notes what it is asked for."""

    def __init__(self, counts_draws):
        self.counts_draws = counts_draws
        self.asked = []

    def __len__(self):
        return 3

    def __getitem__(self, idx):
        self.asked.append(idx)
        return torch.zeros(2)

    def __getitems__(self, indices):
        self.asked.append(indices)
        return [torch.zeros(2)] * len(indices)


def test_data_sets_that_serve_batches():
    for counts, asked in [(False, [[0, 1], 2, 0]), (True, [[0, 1], [2, 0]])]:
        dataset = Batched(counts)
        loader = DataLoader(dataset, 2, sampler=[0, 1, 2, 0], collate_fn=stack)
        count_draws(loader)
        list(loader)
        assert dataset.asked == asked
    assert [draws_before(i) for i in dataset.asked[1]] == [0, 1]


def test_the_order_over_processes():
    # turns: (5, 5), (1, 5), (5, 2), (-, 1)
    found = earlier_draws([np.array([5, 1, 5]), np.array([5, 5, 2, 1])])
    assert [counts.tolist() for counts in found] == [[0, 0, 3], [1, 2, 0, 1]]
    assert earlier_draws([np.array([], int)])[0].tolist() == []


def serve_on_rank(rank, sampler):
    loader = make_loader(faces(11), sampler)
    count_draws(loader)
    return served(loader)


@pytest.mark.parametrize('sampler', [ClassBalancedSampler, DefaultSampler])
def test_two_processes(sampler):
    """The draws of both are those of one process, in turns, with the padding."""
    rows = in_two_processes(serve_on_rank, sampler)
    in_turns = [row for turn in zip(*rows, strict=True) for row in turn]
    assert len(in_turns) == 12  # one more than there are samples
    assert in_turns == expected([int(index) for index, _ in in_turns])
    alone = make_loader(faces(11), sampler)
    count_draws(alone)
    assert in_turns[:11] == served(alone)
