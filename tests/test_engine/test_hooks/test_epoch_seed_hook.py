import copy
import random

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS, HOOKS
from torch.utils.data import DataLoader, Subset

import eac_mm  # noqa: F401  before mmpretrain.datasets
from eac_mm.datasets import NoisyLabels, SeedAugmentation
from eac_mm.datasets.wrappers import transforms_of
from eac_mm.engine import EpochSeedHook


class Draw:
    """In place of an augmentation: the input is what NumPy draws."""

    def __call__(self, results):
        return dict(inputs=torch.tensor([results['sample_idx'], np.random.random()]))


def samples(size=6, pipeline=None, label_of=lambda i: i % 2):
    def load(self):
        return [dict(gt_label=label_of(i), img_path=f'{i}.png') for i in range(size)]

    base = DATASETS.get('mmpretrain.BaseDataset')
    kind = type('Samples', (base,), dict(load_data_list=load))
    if pipeline is None:
        pipeline = [dict(type='SeedAugmentation'), Draw()]
    return kind(ann_file='', metainfo=dict(classes=('a', 'b')), pipeline=pipeline)


# finding


def transform_of(dataset):
    return dataset.pipeline.transforms[0]


def test_finds_in_a_plain_data_set():
    dataset = samples()
    assert list(transforms_of(dataset, SeedAugmentation)) == [transform_of(dataset)]


@pytest.mark.parametrize(
    'wrap',
    [
        NoisyLabels,
        lambda d: NoisyLabels(ConcatDataset([d])),
        lambda d: RepeatDataset(d, 2),
        lambda d: Subset(d, [0, 1]),
        lambda d: ConcatDataset([samples(pipeline=[Draw()]), d]),
    ],
)
def test_finds_in_wrappers(wrap):
    dataset = samples()
    assert list(transforms_of(wrap(dataset), SeedAugmentation)) == [
        transform_of(dataset)
    ]


def test_finds_each_of_several():
    first, second = samples(), samples()
    noisy = NoisyLabels(ConcatDataset([first, second]))
    assert list(transforms_of(noisy, SeedAugmentation)) == [
        transform_of(first),
        transform_of(second),
    ]


def test_finds_any_place_in_the_pipeline():
    seeding = SeedAugmentation()
    dataset = samples(pipeline=[Draw(), seeding, Draw()])
    assert list(transforms_of(dataset, SeedAugmentation)) == [seeding]


@pytest.mark.parametrize('dataset', [samples(pipeline=[Draw()]), [1, 2], None])
def test_finds_none(dataset):
    assert list(transforms_of(dataset, SeedAugmentation)) == []


# in a run


class Recorder(BaseModel):
    """A model that notes what it is given."""

    def __init__(self, seen):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = seen

    def forward(self, inputs, mode='tensor'):
        self.seen.extend(map(tuple, inputs.tolist()))
        return dict(loss=self.weight * 0)


def train(
    work_dir,
    dataset,
    workers=0,
    by_epoch=True,
    seed=3,
    epochs=2,
    sampler='DefaultSampler',
    hooks=(),
    **kwargs,
):
    """Train; the pairs of index and draw that the model saw, in order."""
    seen = []
    loader = dict(
        dataset=dataset,
        batch_size=4,
        num_workers=workers,
        persistent_workers=workers > 0,
        sampler=dict(type=sampler),
        collate_fn=dict(type='default_collate'),
    )
    loop = dict(max_epochs=epochs) if by_epoch else dict(max_iters=2)
    runner = Runner(
        Recorder(seen),
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=by_epoch, **loop),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(
            logger=None, checkpoint=dict(type='SafeCheckpointHook') if kwargs else None
        ),
        custom_hooks=[dict(type='EpochSeedHook'), *hooks],
        default_scope='mmpretrain',
        randomness=dict(seed=seed),
        log_level='ERROR',
        experiment_name=f'run{next(counter)}',
        **kwargs,
    )
    runner.train()
    if workers:  # left to the garbage collector, each would take five seconds
        runner.train_dataloader._iterator._shutdown_workers()
    return seen


counter = iter(range(1000))


def by_epoch(seen, size=6):
    return [sorted(seen[i : i + size]) for i in range(0, len(seen), size)]


def expected(seed, epoch, size=6):
    """The draws of the transform by itself."""
    transform = SeedAugmentation()
    transform.set_epoch(seed, epoch)
    found = []
    for idx in range(size):
        transform(dict(sample_idx=idx))
        found.append(tuple(torch.tensor([idx, np.random.random()]).tolist()))
    return found


def imbalanced(size=30):
    """One sample of class 1, which balancing draws for half of the epoch."""
    return samples(size, label_of=lambda i: i // (size - 1))


@pytest.mark.parametrize('workers', [0, 1, 4])
def test_a_sample_drawn_again_is_augmented_anew(tmp_path, workers):
    kwargs = dict(sampler='ClassBalancedSampler', epochs=2)
    seen = train(tmp_path, imbalanced(), workers, **kwargs)
    assert len(seen) == 60
    assert sum(index == 29 for index, _ in seen) == 30
    assert len({draw for _, draw in seen}) == 60
    # the first draws are those of the transform by itself
    for epoch in range(2):
        first = dict(reversed(seen[30 * epoch : 30 * (epoch + 1)]))
        alone = dict(expected(3, epoch, size=30))
        assert first == {index: alone[index] for index in first}


def test_a_resumed_run_counts_alike(tmp_path):
    kwargs = dict(sampler='ClassBalancedSampler', log_processor=None)
    seen = train(tmp_path / 'a', imbalanced(), epochs=3, **kwargs)
    for end in (2, 3):
        resumed = train(
            tmp_path / 'b', imbalanced(), epochs=end, resume=end > 2, **kwargs
        )
    assert resumed == seen[60:]


@pytest.mark.parametrize('workers', [0, 1])
def test_batch_augmentations_follow_from_seed_and_step(tmp_path, workers):
    """They draw from NumPy in the process that trains, whatever its loader drew."""
    seen = []

    class DrawHook(Hook):
        priority = 'LOWEST'

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            seen.append((np.random.random(), random.random()))

    train(tmp_path, samples(), workers, hooks=[DrawHook()])
    expected = []
    for step in range(4):
        words = np.random.SeedSequence([3, step, 0], spawn_key=(2,)).generate_state(2)
        state = np.random.RandomState(words[0])
        expected.append((state.random(), random.Random(int(words[1])).random()))
    assert seen == expected


@pytest.mark.parametrize('workers', [0, 2])
def test_each_epoch_draws_its_own(tmp_path, workers):
    epochs = by_epoch(train(tmp_path, samples(), workers, epochs=3))
    assert epochs == [expected(3, epoch) for epoch in range(3)]
    assert len({draw for epoch in epochs for _, draw in epoch}) == 18


def test_seed_of_the_run(tmp_path):
    assert by_epoch(train(tmp_path, samples(), seed=4, epochs=1)) == [expected(4, 0)]


def test_copied_data_set(tmp_path):
    dataset = samples(10).get_subset(6)
    epochs = by_epoch(train(tmp_path, copy.deepcopy(dataset), workers=1))
    assert epochs == [expected(3, 0), expected(3, 1)]


def test_refuses_a_loop_without_epochs(tmp_path):
    with pytest.raises(
        ValueError, match=r'SeedAugmentation needs an epoch, and IterBasedTrainLoop has'
    ):
        train(tmp_path, samples(), by_epoch=False)


def test_loop_without_epochs_and_without_seeding(tmp_path):
    seen = train(tmp_path, samples(pipeline=[Draw()]), by_epoch=False)
    assert len(seen) == 6  # two steps, of four and of two samples


def test_registered():
    assert isinstance(HOOKS.build(dict(type='EpochSeedHook')), EpochSeedHook)


def test_loader_alone_is_inert():
    # without the hook nothing is reseeded: numbers go on
    np.random.seed(1)
    drawn = [float(x['inputs'][1]) for x in DataLoader(samples(), batch_size=None)]
    np.random.seed(1)
    assert drawn == torch.tensor(np.random.random(6), dtype=torch.float32).tolist()
