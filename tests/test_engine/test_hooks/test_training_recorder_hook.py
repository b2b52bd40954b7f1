import copy
import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import short_training
import torch
from mmengine.dataset import DefaultSampler
from mmengine.hooks import Hook
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from mmpretrain.structures import DataSample
from ranks import in_two_processes
from short_training import SAMPLES, Killed
from torch import nn
from torch.utils.data import ConcatDataset, Dataset, Subset

from eac_mm.audit import read_records
from eac_mm.datasets import NoisyLabels
from eac_mm.engine import TrainingRecorderHook
from eac_mm.engine.hooks.training_recorder_hook import Drawn, merged

RECIPES = Path(__file__).parents[3] / 'configs'
OWN = {
    'model.backbone.drop_path_rate': 0.0,  # so that a copy computes the same
    'visualizer.vis_backends': [],
    # MMEngine collects garbage to serialise: a third of a second.
    'train_dataloader.dataset.dataset.serialize_data': False,
    'val_dataloader.dataset.serialize_data': False,
}
ON = {'default_hooks.recorder.type': 'TrainingRecorderHook'}


class KillAt(Hook):
    """Raise at a moment of an epoch, such as ``('before_save_checkpoint', 1)``."""

    priority = 'LOWEST'

    def __init__(self, moment, epoch):
        self.epoch = epoch
        setattr(self, moment, self.kill)

    def kill(self, runner, *args, batch_idx=1, **kwargs):
        if runner.epoch == self.epoch and batch_idx == 1:
            raise Killed


class Oracle(Hook):
    """Compute each step's logits and disagreement on a copy, from the batch."""

    def __init__(self):
        self.logits, self.disagreement = {}, {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        model = copy.deepcopy(runner.model)
        data = model.data_preprocessor(data_batch, True)
        views = data['inputs']
        views = views if isinstance(views, list) else [views]
        # Batch statistics, as in training: the deep copy is thrown away.
        with torch.no_grad():
            maps = [model.backbone(view)[-1] for view in views]
            logits = [model.head.fc(each.mean((2, 3))) for each in maps]
            attention = [
                (each[:, None] * model.head.fc.weight[None, :, :, None, None]).sum(2)
                for each in maps
            ]
        for row, sample in enumerate(data['data_samples']):
            key = runner.epoch, sample.sample_idx
            self.logits[key] = torch.stack([view[row] for view in logits])
            if len(views) == 2:
                gap = attention[0][row] - attention[1][row].flip(-1)
                self.disagreement[key] = gap.square().mean()


@pytest.fixture
def train(tmp_path):
    """Train a recipe on synthetic faces in this process; return the runner."""

    def run(method, name, *hooks, resume=None, **options):
        recipe = RECIPES / method / 'resnet18_syntheticfer_noise30.py'
        options = {**OWN, **options}
        return short_training.train(
            recipe, tmp_path / name, *hooks, resume=resume, **options
        )

    return run


def bytes_in(runner_or_folder):
    folder = getattr(runner_or_folder, 'work_dir', runner_or_folder)
    return {p.name: p.read_bytes() for p in Path(folder, 'records').iterdir()}


def test_records_are_what_the_steps_computed(train):
    """EAC with accumulated gradients: two views and their disagreement."""
    oracle = Oracle()
    options = {'optim_wrapper.accumulative_counts': 2}
    runner = train('eac', 'run', oracle, **ON, **options)
    records = read_records(runner.work_dir)
    assert len(records) == 2
    for epoch in records:
        assert epoch.logits.dtype == np.float16
        assert epoch.logits.shape == (2, SAMPLES, 7)
        assert epoch.disagreement.dtype == np.float32
        for index in range(SAMPLES):
            key = epoch.epoch - 1, index
            logits, gap = oracle.logits[key], oracle.disagreement[key]
            mine = torch.from_numpy(epoch.logits[:, index].astype(np.float32))
            torch.testing.assert_close(mine, logits, atol=2e-3, rtol=1e-3)
            assert epoch.disagreement[index] == pytest.approx(float(gap), rel=1e-3)
    data = runner.train_dataloader.dataset
    assert (records.noisy_labels == data.given_labels).all()
    assert (records.clean_labels == data.clean_labels).all()
    assert (records.noisy_labels != records.clean_labels).any()
    assert records.classes == data.metainfo['classes']
    assert records.paths[3] == data.get_data_info(3)['img_path']
    assert runner.model.head.recorder is None  # between the steps


def test_a_plain_head_is_recorded_as_it_is(train):
    """The baseline's head is MMPretrain's; validation and preflight use it, too."""
    oracle = Oracle()
    runner = train('baseline', 'run', oracle, **ON)
    for epoch in read_records(runner.work_dir):
        assert epoch.logits.shape == (1, SAMPLES, 7)
        assert epoch.disagreement is None
        expected = [oracle.logits[epoch.epoch - 1, i] for i in range(SAMPLES)]
        mine = torch.from_numpy(epoch.logits.astype(np.float32)).transpose(0, 1)
        torch.testing.assert_close(mine, torch.stack(expected), atol=2e-3, rtol=1e-3)
    assert not runner.model.head._forward_hooks


def test_killed_and_resumed_ends_with_the_same_bytes_and_weights(train, tmp_path):
    off = train('eac', 'off')
    assert 'recorder' not in vars(off.model.head)
    assert not Path(off.work_dir, 'records').exists()

    whole = train('eac', 'whole', **ON)
    for key, value in off.model.state_dict().items():
        assert torch.equal(value, whole.model.state_dict()[key]), key

    # Within an epoch, and between a record and its checkpoint.
    with pytest.raises(Killed):
        train('eac', 'run', KillAt('after_train_iter', 1), **ON)
    assert set(bytes_in(tmp_path / 'run')) == {'samples.npz', 'epoch_001.npz'}
    with pytest.raises(Killed):
        kill = KillAt('before_save_checkpoint', 1)
        train('eac', 'run', kill, resume='epoch_1.pth', **ON)
    assert not (tmp_path / 'run' / 'epoch_2.pth').exists()
    stale = tmp_path / 'run' / 'records' / 'epoch_003.npz'
    stale.write_bytes(b'of a part that is trained anew')
    resumed = train('eac', 'run', resume='epoch_1.pth', **ON)
    assert bytes_in(resumed) == bytes_in(whole)
    saved = torch.load(Path(resumed.work_dir) / 'epoch_2.pth', weights_only=True)
    assert not any('Recorder' in key for key in saved['exact_resume']['hooks'])
    with pytest.raises(ValueError, match='holds another run'):
        train('eac', 'run', **ON)


# by hand


def drawn(indices, *views, disagreement=None):
    gap = None if disagreement is None else np.array(disagreement, np.float32)
    return Drawn(np.array(indices), np.array(views, np.float16), gap)


def test_the_first_draw_of_a_sample_counts():
    parts = [
        drawn([2, 0, 0], [[1, 2], [3, 4], [5, 6]], disagreement=[0.1, 0.2, 0.3]),
        drawn([0, 3, 2], [[7, 8], [9, 10], [11, 12]], disagreement=[0.4, 0.5, 0.6]),
    ]
    found = merged(parts, 5)
    nan = np.nan
    # 0: drawn first by rank 1, in turn 0; 2: by rank 0. Nobody drew 1 and 4.
    rows = [[7, 8], [nan, nan], [1, 2], [9, 10], [nan, nan]]
    np.testing.assert_array_equal(found['logits'], np.array([rows], np.float16))
    expected = np.array([0.4, nan, 0.1, 0.5, nan], np.float32)
    np.testing.assert_array_equal(found['disagreement'], expected)
    assert found['logits'].dtype == np.float16
    tie = [drawn([1], [[1, 1]]), drawn([1], [[2, 2]])]
    assert merged(tie, 2)['logits'][0, 1].tolist() == [1, 1]  # of rank 0
    assert merged(tie, 2)['disagreement'] is None


class Numbers(Dataset):
    """Samples whose image is their index."""

    metainfo = dict(classes=('no', 'yes'))

    def __init__(self, size):
        self.targets = [0] * size

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return torch.full((1,), float(index)), 0


class Net(BaseModel):
    """A head of one channel."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.head = nn.Linear(1, 2, bias=False)
        self.head.weight.data = torch.tensor([[scale], [-scale]])

    def forward(self, inputs, data_samples, mode='loss'):
        return dict(loss=self.head(inputs).square().mean())


class Served(Net):
    """A model that calls the recorder itself, with what a test gives."""

    recorder = None

    def forward(self, inputs, data_samples, mode='loss'):
        if self.recorder is not None:
            self.recorder(**self.given)
            self.recorder(logits=[])  # the first call of a step counts
        return super().forward(inputs, data_samples)


def make_runner(folder, dataset, model=None):
    loop = object.__new__(EpochBasedTrainLoop)
    return SimpleNamespace(
        work_dir=str(folder),
        train_loop=loop,
        train_dataloader=SimpleNamespace(dataset=dataset),
        model=model or Net(),
        epoch=0,
        logger=logging.getLogger('recorder'),
    )


def batch_of(indices):
    samples = [DataSample(metainfo=dict(sample_idx=int(i))) for i in indices]
    inputs = torch.tensor([[float(i)] for i in indices])
    return dict(inputs=inputs, data_samples=samples)


def record(runner, batches, read=True):
    """Run the hook through an epoch, with plain gradient descent of rate 0."""
    hook = TrainingRecorderHook()
    rate = torch.optim.SGD(runner.model.parameters(), lr=0.0)
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    for number, indices in enumerate(batches):
        batch = batch_of(indices)
        hook.before_train_iter(runner, number, batch)
        runner.model.train_step(batch, OptimWrapper(rate))
        hook.after_train_iter(runner, number, batch, {})
        runner.model(**batch, mode='loss')  # of no step
    hook.after_train_epoch(runner)
    return read_records(runner.work_dir)[0] if read else None


def record_on_rank(rank, folder):
    data = NoisyLabels(Numbers(5))
    torch.manual_seed(rank)
    # Rank 1 computes other logits, so that one sees whose draw counts.
    model = MMDistributedDataParallel(Net(), device_ids=None)
    model.module.head.weight.data *= 1 + rank
    runner = make_runner(folder, data, model)
    drawn = list(DefaultSampler(data, shuffle=False))  # 0, 2, 4 and 1, 3, 0
    if rank:  # it writes nothing
        runner.work_dir = str(folder / 'nowhere')
    record(runner, [drawn[:2], drawn[2:]], read=False)
    return drawn


def test_two_processes(tmp_path):
    found = in_two_processes(record_on_rank, tmp_path)
    assert found == [[0, 2, 4], [1, 3, 0]]
    [epoch] = read_records(tmp_path)
    # Rank 1 has odd samples, at twice the logits; 0 pads, and its first draw counts.
    expected = [[0, 0], [2, -2], [2, -2], [6, -6], [4, -4]]
    assert epoch.logits.tolist() == [expected]
    assert not (tmp_path / 'nowhere').exists()


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_logits_are_clipped_to_float16(tmp_path, dtype):
    model = Served()
    views = [torch.tensor([[1e6, -1e6], [1.5, 65504]]), torch.zeros(2, 2)]
    model.given = dict(
        logits=[view.to(dtype) for view in views],
        disagreement=torch.tensor([1e6, 2.0]),
    )
    epoch = record(make_runner(tmp_path, NoisyLabels(Numbers(2)), model), [[1, 0]])
    assert epoch.logits[0].tolist() == [[1.5, 65504], [65504, -65504]]
    assert epoch.logits[1].tolist() == [[0, 0], [0, 0]]
    assert epoch.disagreement.tolist() == [2.0, 1e6]


def test_data_without_noise_and_samples_that_are_not_served(tmp_path):
    data = Subset(Numbers(3), [0, 2, 2])
    epoch = record(make_runner(tmp_path, data), [[0, 2], [2]])
    assert epoch.logits[0, ::2].tolist() == [[0, 0], [2, -2]]
    assert np.isnan(epoch.logits[0, 1]).all()
    records = read_records(tmp_path)
    assert records.clean_labels is None
    assert records.noisy_labels.tolist() == [0, 0, 0]


def test_recorded_from_a_later_epoch_on(tmp_path, caplog):
    runner = make_runner(tmp_path, NoisyLabels(Numbers(2)))
    runner.epoch = 1
    record(runner, [[0, 1]], read=False)
    assert '1 epochs before this one were not recorded (first: 1)' in caplog.text
    with pytest.raises(ValueError, match=r'lacks 1 before it \(first: 1\)'):
        read_records(tmp_path)


def test_what_cannot_be_recorded_is_refused_before_training(tmp_path):
    hook, data = TrainingRecorderHook(), NoisyLabels(Numbers(2))
    several = make_runner(tmp_path, ConcatDataset([data, NoisyLabels(Numbers(2))]))
    with pytest.raises(ValueError, match=r'joins 2 data sets \(NoisyLabels, Noisy'):
        hook.before_train(several)
    headless = make_runner(tmp_path, data, nn.Linear(1, 2))
    with pytest.raises(ValueError, match=r'Linear has no head .*recorder = None'):
        hook.before_train(headless)
    endless = make_runner(tmp_path, data)
    endless.train_loop = object.__new__(IterBasedTrainLoop)
    with pytest.raises(ValueError, match='IterBasedTrainLoop has none'):
        hook.before_train(endless)


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ([torch.zeros(1, 2)], r'shapes \[\(1, 2\)\] for 2 samples of 2 classes'),
        ([torch.zeros(2, 3)], r'shapes \[\(2, 3\)\] for 2 samples of 2 classes'),
        ([], r'Served gave logits of shapes \[\]'),
    ],
)
def test_logits_that_do_not_fit(tmp_path, given, message):
    model = Served()
    model.given = dict(logits=given)
    with pytest.raises(ValueError, match=message):
        record(make_runner(tmp_path, NoisyLabels(Numbers(2)), model), [[0, 1]])


def test_samples_without_a_number(tmp_path):
    runner = make_runner(tmp_path, NoisyLabels(Numbers(2)))
    with pytest.raises(ValueError, match=r'sample_idx \[0, 2\], and 0 to 1 are needed'):
        record(runner, [[0, 2]])
    hook = TrainingRecorderHook()
    hook.before_train(runner)
    with pytest.raises(ValueError, match=r'sample_idx \[None\]'):
        hook.after_train_iter(runner, 0, dict(data_samples=[DataSample()]))
