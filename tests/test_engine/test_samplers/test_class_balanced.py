from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mmengine.dataset import ConcatDataset
from mmengine.hooks import Hook
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATA_SAMPLERS
from torch.utils import data

from eac_mm.apis import build_runner, load_config
from eac_mm.datasets import NoisyLabels
from eac_mm.engine import ClassBalancedSampler
from eac_mm.engine.samplers import class_balanced

RECIPE = Path(__file__).parents[3] / 'configs/eac/resnet18_rafdb_noise10.py'
LABELS = [0] * 7 + [1] * 2 + [2]  # indices 0 to 6, 7 and 8, 9


class Listed(BaseDataset):
    """Samples of these labels and nothing else."""

    METAINFO = dict(classes=('a', 'b', 'c'))

    def __init__(self, labels=tuple(LABELS), **kwargs):
        self.labels = labels
        super().__init__(ann_file='', serialize_data=False, **kwargs)

    def load_data_list(self):
        return [dict(gt_label=label) for label in self.labels]


class ByCatIds:
    """A data set that is asked sample by sample."""

    def __init__(self, ids):
        self.ids = ids

    def __len__(self):
        return len(self.ids)

    def get_cat_ids(self, idx):
        return self.ids[idx]


def by_class(draws):
    return Counter(LABELS[i] for i in draws)


@pytest.fixture
def as_rank(monkeypatch):
    """Build samplers as this rank of so many."""

    def build(rank, world_size, **kwargs):
        monkeypatch.setattr(class_balanced, 'get_dist_info', lambda: (rank, world_size))
        return ClassBalancedSampler(Listed(), seed=5, **kwargs)

    return build


def test_counts():
    sampler = ClassBalancedSampler(Listed(), seed=0)
    assert len(sampler) == 10
    favoured = Counter()
    for epoch in range(60):
        sampler.set_epoch(epoch)
        draws = list(sampler)
        classes, each = by_class(draws), Counter(draws)
        assert sorted(classes.values()) == [3, 3, 4]
        favoured[classes.most_common(1)[0][0]] += 1
        assert all(each[i] <= 1 for i in range(7))
        assert min(each[7], each[8]) == classes[1] // 2
        assert max(each[7], each[8]) == -(-classes[1] // 2)
        assert each[9] == classes[2]
    assert min(favoured[c] for c in range(3)) >= 10  # 20 expected


def test_equal_counts_where_the_classes_divide_the_length():
    labels = [0] * 9 + [1] * 2 + [2]
    sampler = ClassBalancedSampler(Listed(labels), seed=3)
    assert Counter(labels[i] for i in sampler) == {0: 4, 1: 4, 2: 4}
    counts = Counter(sampler)
    assert (counts[9], counts[10], counts[11]) == (2, 2, 4)


def test_every_sample_of_a_large_class_comes_in_some_epoch():
    sampler = ClassBalancedSampler(Listed(), seed=0)
    seen = set()
    for epoch in range(20):
        sampler.set_epoch(epoch)
        seen.update(sampler)
    assert seen == set(range(10))


def test_the_order_is_mixed():
    labels = [0] * 300 + [1] * 300 + [2] * 300
    sampler = ClassBalancedSampler(Listed(labels), seed=0)
    drawn = np.array([labels[i] for i in sampler])
    assert 550 < np.count_nonzero(np.diff(drawn)) < 650  # 600 expected


def test_a_function_of_seed_and_epoch_alone():
    def epoch(seed, number):
        sampler = ClassBalancedSampler(Listed([0, 1, 2] * 20), seed=seed)
        sampler.set_epoch(number)
        return list(sampler)

    first = epoch(0, 1)
    np.random.seed(7)
    expected = np.random.random()
    np.random.seed(7)
    assert epoch(0, 1) == first
    assert np.random.random() == expected  # the global generator is left alone
    assert len({tuple(epoch(s, e)) for s in range(3) for e in range(3)}) == 9


def test_resume():
    straight = ClassBalancedSampler(Listed(), seed=1)
    epochs = []
    for number in range(4):
        straight.set_epoch(number)
        epochs.append(list(straight))
    resumed = ClassBalancedSampler(Listed(), seed=1)
    resumed.set_epoch(3)
    assert list(resumed) == epochs[3]
    assert list(resumed) == epochs[3]  # as often as it is asked


@pytest.mark.parametrize('epoch', [0, 3])
def test_ranks(as_rank, epoch):
    alone = as_rank(0, 1)
    alone.set_epoch(epoch)
    draws = list(alone)
    shares = []
    for rank in range(3):
        sampler = as_rank(rank, 3)
        sampler.set_epoch(epoch)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1]) == 4
    together = [i for turn in zip(*shares, strict=True) for i in turn]
    assert together == draws + draws[:2]


def test_ranks_without_rounding_up(as_rank):
    draws = list(as_rank(0, 1))
    shares = []
    for rank in range(4):
        sampler = as_rank(rank, 4, round_up=False)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1])
    assert [len(share) for share in shares] == [3, 3, 2, 2]
    assert shares == [draws[rank::4] for rank in range(4)]


def test_more_ranks_than_samples(as_rank):
    shares = [list(as_rank(rank, 24)) for rank in range(24)]
    assert [len(share) for share in shares] == [1] * 24
    draws = list(as_rank(0, 1))
    assert [share[0] for share in shares] == (draws * 3)[:24]


def test_the_ranks_share_a_seed(monkeypatch):
    monkeypatch.setattr(class_balanced, 'sync_random_seed', lambda: 11)
    shared = list(ClassBalancedSampler(Listed()))
    assert shared == list(ClassBalancedSampler(Listed(), seed=11))


def test_given_labels_count():
    labels = [0, 1] * 300
    noisy = NoisyLabels(
        Listed(labels, metainfo=dict(classes=('a', 'b'))),
        kind='asymmetric',
        rate=0.9,
        transition={'a': 'b'},
    )
    drawn = list(ClassBalancedSampler(noisy, seed=0))
    given = Counter(int(noisy.given_labels[i]) for i in drawn)
    assert given == {0: 300, 1: 300}
    clean = Counter(labels[i] for i in drawn)
    assert clean[0] > 400


def test_labels_by_cat_ids():
    sampler = ClassBalancedSampler(ByCatIds([[1], [0], [0], [0]]), seed=0)
    assert [m.tolist() for m in sampler.members] == [[1, 2, 3], [0]]


def test_class_without_samples():
    dataset = Listed([0, 0, 2, 0])
    with pytest.raises(
        ValueError, match=r"1 of the 3 classes of Listed have no .*: 'b'\. Fix.*allow_"
    ):
        ClassBalancedSampler(dataset, seed=0)
    sampler = ClassBalancedSampler(dataset, seed=0, allow_empty=True)
    assert Counter(dataset.labels[i] for i in sampler) == {0: 2, 2: 2}


@pytest.mark.parametrize(
    ('dataset', 'error', 'message'),
    [
        (ByCatIds([]), ValueError, 'ByCatIds is empty. Fix'),
        (Listed([0, 3]), ValueError, r'sample 1 \(1\) has the label 3; the 3 classes'),
        (Listed([0, -1]), ValueError, r'sample 1 \(1\) has the label -1'),
        (Listed([0.0, 1.0]), ValueError, r'sample 0 .* has the label 0.0; one integer'),
        (Listed([[0, 1], [1, 2]]), ValueError, r'sample 0 .* has the label \[0, 1\]'),
        (ByCatIds([[0], [0, 1]]), ValueError, r'sample 1 .* has the label \[0, 1\]'),
        ([1, 2], TypeError, 'list does not say what its labels are.*Fix: give it an'),
    ],
)
def test_bad_data_sets(dataset, error, message):
    with pytest.raises(error, match=message):
        ClassBalancedSampler(dataset, seed=0)


@pytest.mark.parametrize('concatenate', [ConcatDataset, data.ConcatDataset])
@pytest.mark.parametrize('wrapper', [lambda dataset: dataset, NoisyLabels])
def test_concatenated_data_sets(concatenate, wrapper):
    both = wrapper(concatenate([Listed(), Listed([2, 2])]))
    sampler = ClassBalancedSampler(both, seed=0)
    assert [len(m) for m in sampler.members] == [7, 2, 3]


def loader_options(rafdb_root, **kwargs):
    pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
    dataset = dict(type='RAFDB', data_root=str(rafdb_root), pipeline=pipeline)
    return dict(
        batch_size=5,
        num_workers=0,
        sampler=dict(type='ClassBalancedSampler'),
        dataset=dict(type='NoisyLabels', dataset=dataset),
        **kwargs,
    )


def test_the_runner_s_data_loader(rafdb_root):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        loader = Runner.build_dataloader(loader_options(rafdb_root), seed=4)
    assert isinstance(loader.sampler, ClassBalancedSampler)
    assert loader.sampler.seed == 4
    samples = [s for batch in loader for s in batch['data_samples']]
    # seven classes in twelve draws
    counts = Counter(int(s.gt_label) for s in samples)
    assert sorted(counts.values()) == [1, 1, 2, 2, 2, 2, 2]
    assert [s.sample_idx for s in samples] == list(loader.sampler)
    assert len(loader) == 3


def test_epochs_of_a_set_number_of_batches(rafdb_root):
    options = loader_options(rafdb_root, num_batch_per_epoch=7)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        loader = Runner.build_dataloader(options, seed=4)
    labels = [int(s.gt_label) for batch in loader for s in batch['data_samples']]
    assert Counter(labels) == dict.fromkeys(range(7), 5)


def test_registered():
    sampler = DATA_SAMPLERS.build(
        dict(type='ClassBalancedSampler', round_up=False),
        default_args=dict(dataset=Listed(), seed=9),
    )
    assert (sampler.seed, sampler.round_up, sampler.epoch) == (9, False, 0)


class Record(Hook):
    """Keep the indices of every epoch."""

    def __init__(self):
        self.epochs = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        indices = [s.sample_idx for s in data_batch['data_samples']]
        self.epochs.setdefault(runner.epoch, []).append(indices)


def test_training_and_its_resume(tmp_path, small_options):
    def train(epochs, resume):
        options = {**small_options, 'train_cfg.max_epochs': epochs, 'resume': resume}
        cfg = load_config(RECIPE, options, work_dir=str(tmp_path))
        cfg.train_dataloader.sampler = dict(type='ClassBalancedSampler')
        runner = build_runner(cfg)
        record = Record()
        runner.register_hook(record)
        runner.train()
        return record.epochs, runner.train_dataloader.sampler

    first, _ = train(1, resume=False)
    resumed, sampler = train(2, resume=True)
    assert list(first) == [0]
    assert list(resumed) == [0, 1]  # a hook is resumed with what it noted
    assert resumed[0] == first[0]
    for number, batches in {**first, **resumed}.items():
        sampler.set_epoch(number)
        assert sum(batches, []) == list(sampler)
    assert first[0] != resumed[1]
