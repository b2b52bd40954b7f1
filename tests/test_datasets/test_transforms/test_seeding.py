import copy
import pickle
import random

import numpy as np
import pytest
import torch
from mmpretrain.registry import TRANSFORMS
from torch.utils.data import DataLoader, Dataset

from eac_mm.datasets import ErasingFlipPair, SeedAugmentation
from eac_mm.datasets.transforms.seeding import drawing

SIZE = 12


class Draws(Dataset):
    """What NumPy and Python draw for a sample after the transform."""

    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return SIZE

    def __getitem__(self, idx):
        np.random.random(idx % 3)  # what went before must not matter
        self.transform(dict(sample_idx=idx))
        drawn = [np.random.random(), random.random(), np.random.random()]
        return torch.tensor([idx, *drawn], dtype=torch.float64)


def collect(workers, seed=5, epochs=(0, 1), order=range(SIZE), transform=None):
    """Draws by epoch and sample, through a loader that lives on."""
    transform = SeedAugmentation() if transform is None else transform
    loader = DataLoader(
        Draws(transform),
        batch_size=5,
        sampler=list(order),
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    found = []
    for epoch in epochs:
        transform.set_epoch(seed, epoch)
        rows = torch.cat(list(loader))
        found.append(rows[rows[:, 0].argsort(), 1:].numpy())
    return np.stack(found)


@pytest.fixture(scope='module')
def single():
    return collect(0)


@pytest.mark.parametrize('workers', [1, 2])
def test_any_number_of_workers(single, workers):
    np.testing.assert_array_equal(collect(workers), single)


def test_any_order(single):
    order = [7, 3, 11, 0, 1, 2, 10, 9, 8, 4, 6, 5]
    np.testing.assert_array_equal(collect(2, order=order), single)


def test_resumed(single):
    np.testing.assert_array_equal(collect(2, epochs=[1])[0], single[1])


def test_epochs_samples_and_draws_differ(single):
    assert single.shape == (2, SIZE, 3)
    assert len(np.unique(single)) == single.size


def test_seeds_differ(single):
    other = collect(0, seed=6)
    assert len(np.unique(np.stack([single, other]))) == 2 * single.size


def test_seed_and_epoch_do_not_mix():
    # seed 1 in epoch 2 is not seed 2 in epoch 1
    first, second = collect(0, seed=1, epochs=[2]), collect(0, seed=2, epochs=[1])
    assert not np.isclose(first, second).any()


def test_draws_are_uniform_and_uncorrelated_over_samples():
    transform = SeedAugmentation()
    drawn = []
    for epoch in range(2):
        transform.set_epoch(0, epoch)
        for idx in range(2000):
            transform(dict(sample_idx=idx))
            drawn.append((np.random.random(), random.random()))
    drawn = np.array(drawn)
    # five standard errors
    assert np.abs(drawn.mean(0) - 0.5).max() < 5 * np.sqrt(1 / 12 / 4000)
    assert np.abs(drawn.var(0) - 1 / 12).max() < 5 * np.sqrt(1 / 180 / 4000)
    numpy_drawn, python_drawn = drawn.T
    pairs = [
        (numpy_drawn, python_drawn),
        (numpy_drawn[1:], numpy_drawn[:-1]),
        (python_drawn[1:], python_drawn[:-1]),
        (numpy_drawn[2000:], numpy_drawn[:2000]),
        (python_drawn[2000:], python_drawn[:2000]),
    ]
    for a, b in pairs:
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(len(a))


def test_erasing_is_repeatable():
    img = np.random.default_rng(1).integers(0, 255, (40, 40, 3), np.uint8)
    seeding, pair = SeedAugmentation(), ErasingFlipPair(prob=1, noise_variance=30)

    def views(epoch, idx):
        np.random.random(7)
        seeding.set_epoch(0, epoch)
        return pair(seeding(dict(img=img, sample_idx=idx)))['img']

    first = views(3, 8)
    for again, view in zip(views(3, 8), first, strict=True):
        np.testing.assert_array_equal(again, view)
    assert (views(4, 8)[0] != first[0]).any()
    assert (views(3, 9)[0] != first[0]).any()


def states():
    return pickle.dumps((np.random.get_state(), random.getstate()))


def test_draws_of_a_sample():
    """The first is (seed, epoch, sample), later ones add their number."""
    transform = SeedAugmentation()
    transform.set_epoch(5, 2)
    for words, before in [((5, 2, 7), 0), ((5, 2, 7, 1), 1), ((5, 2, 7, 300), 300)]:
        with drawing(before, leaf=0):
            transform(dict(sample_idx=7))
        seed, python_seed = np.random.SeedSequence(words).generate_state(2)
        assert np.random.random() == np.random.RandomState(seed).random()
        assert random.random() == random.Random(int(python_seed)).random()
    # the number is forgotten afterwards
    transform(dict(sample_idx=7))
    seed = np.random.SeedSequence([5, 2, 7]).generate_state(2)[0]
    assert np.random.random() == np.random.RandomState(seed).random()


def test_samples_of_other_data_sets_draw_other_numbers():
    transform = SeedAugmentation()
    transform.set_epoch(5, 9)
    for before, leaf, words in [
        (0, 0, [5, 9, 4]),
        (0, 2, [5, 9, 4, 0, 2]),
        (3, 1, [5, 9, 4, 3, 1]),
    ]:
        with drawing(before, leaf):
            transform(dict(sample_idx=4))
        state = np.random.SeedSequence(words).generate_state(2)[0]
        assert np.random.random() == np.random.RandomState(state).random()


def test_inert_until_the_epoch_is_set():
    before = states()
    results = dict(img=1)  # not even sample_idx is asked for
    assert SeedAugmentation()(results) is results
    assert states() == before


def test_results_pass_unchanged():
    transform = SeedAugmentation()
    transform.set_epoch(0, 0)
    before = states()
    results = dict(sample_idx=np.int64(3), img=1)
    assert transform(results) is results
    assert results == dict(sample_idx=3, img=1)
    assert states() != before


def test_pytorch_is_left_alone():
    transform = SeedAugmentation()
    transform.set_epoch(0, 0)
    before = torch.get_rng_state()
    transform(dict(sample_idx=3))
    assert torch.equal(torch.get_rng_state(), before)


def test_no_sample_idx():
    transform = SeedAugmentation()
    transform.set_epoch(0, 0)
    with pytest.raises(KeyError, match=r'needs "sample_idx".*Fix: derive yours'):
        transform(dict(img=1))


def test_a_copy_reaches_its_workers(single):
    # as data sets are copied by get_subset
    original = SeedAugmentation()
    original.set_epoch(5, 9)
    copied = copy.deepcopy(original)
    np.testing.assert_array_equal(collect(2, transform=copied), single)


def test_a_copy_is_on_its_own():
    original = SeedAugmentation()
    original.set_epoch(5, 9)
    copied = copy.deepcopy(original)
    np.testing.assert_array_equal(drawn_by(copied), drawn_by(original))
    copied.set_epoch(5, 10)
    original_draw = drawn_by(original)
    assert drawn_by(copied) != original_draw
    original.set_epoch(5, 10)
    assert drawn_by(original) != original_draw


def drawn_by(transform):
    transform(dict(sample_idx=0))
    return np.random.random(), random.random()


def test_registered():
    transform = TRANSFORMS.build(dict(type='SeedAugmentation'))
    assert isinstance(transform, SeedAugmentation)
    assert repr(transform) == 'SeedAugmentation()'
