from pathlib import Path
from types import SimpleNamespace

import pytest
import short_training
import torch
from mmengine.runner import Runner
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import MODELS
from short_training import SAMPLES, At, Killed, assert_same, kill, losses_of
from torch import nn
from torch.utils.data import ConcatDataset, TensorDataset

from eac_mm.apis import build_runner, load_config
from eac_mm.engine import SampleStateHook
from eac_mm.models import SampleState

RECIPE = Path(__file__).parents[3] / 'configs/baseline/resnet18_syntheticfer_noise30.py'
TRAIN = 'train_dataloader.dataset.dataset'


@MODELS.register_module()
class CountingHead(LinearClsHead):
    """Count how often each sample was served, and note the epoch of the last time."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = SampleState((2,), dtype=torch.int64)

    def loss(self, feats, data_samples):
        indices = self.seen.indices(data_samples)
        rows = self.seen.read(indices)
        rows[:, 0] += 1
        rows[:, 1] = self.seen.epoch
        self.seen.write(indices, rows)
        return super().loss(feats, data_samples)


@pytest.fixture
def train(tmp_path):
    def run(name, *hooks, **options):
        recipe = tmp_path / 'counting.py'
        text = f"_base_ = [{str(RECIPE)!r}]\nmodel = dict(head=dict(type='CountingHead'"
        recipe.write_text(f'{text}, init_cfg=None))\n')
        return short_training.train(recipe, tmp_path / name, *hooks, **options)

    return run


def counts(runner):
    return runner.model.head.seen.values


def test_size_and_epoch_come_from_the_training(train):
    runner = train('run')
    # Each sample twice, last in the second epoch; preflight's rehearsal is no time.
    assert counts(runner).tolist() == [[2, 1]] * SAMPLES
    saved = torch.load(Path(runner.work_dir, 'epoch_1.pth'), weights_only=True)
    assert saved['state_dict']['head.seen.values'].tolist() == [[1, 0]] * SAMPLES
    unchecked = train('unchecked', without=('preflight',))
    assert losses_of(unchecked) == losses_of(runner)
    assert_same(unchecked, runner)


def test_the_epoch_follows_from_the_iteration():
    """So it is right in a loop by iterations, which counts no epochs."""
    model = nn.ModuleDict(dict(state=SampleState()))
    runner = SimpleNamespace(model=model, train_dataloader=range(4))
    hook = SampleStateHook()
    hook.before_train(runner)
    epochs = []
    for runner.iter in (0, 3, 4, 8, 11):
        hook.before_train_iter(runner, 0)
        epochs.append(model['state'].epoch)
    assert epochs == [0, 0, 1, 2, 2]


def test_resuming_goes_on_with_it_and_starting_does_not(train):
    whole = train('whole')
    with pytest.raises(Killed):
        train('killed', At(4, kill))
    resumed = train('killed', resume='epoch_1.pth')
    assert_same(resumed, whole)
    zeros = []
    note = At(0, lambda runner: zeros.append(not counts(runner).any()))
    path = str(Path(whole.work_dir) / 'epoch_2.pth')
    for size in (SAMPLES, 16):
        options = {f'{TRAIN}.size': size, 'train_cfg.max_epochs': 1}
        started = train(f'started_{size}', note, load_from=path, **options)
        assert counts(started).tolist() == [[1, 0]] * size
    assert zeros == [True, True]


def test_another_number_of_samples_is_refused(train):
    train('run', **{'train_cfg.max_epochs': 1})
    message = r'state head.seen of 24 training samples, .*has 16. Fix: resume with'
    with pytest.raises(ValueError, match=message):
        train('run', resume='epoch_1.pth', **{f'{TRAIN}.size': 16})


def test_a_checkpoint_without_the_state_is_refused(train):
    runner = train('run', **{'train_cfg.max_epochs': 1})
    path = Path(runner.work_dir, 'epoch_1.pth')
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint['state_dict']['head.seen.values']
    torch.save(checkpoint, path)
    with pytest.raises(ValueError, match=r'lacks the state head.seen .*Fix: go on'):
        train('run', resume='epoch_1.pth')


@pytest.mark.parametrize('copies', [1, 2])
def test_joined_data_sets_that_number_alike_are_refused(copies):
    parts = [TensorDataset(torch.zeros(5)) for _ in range(copies)]
    loader = SimpleNamespace(dataset=ConcatDataset(parts))
    model = nn.ModuleDict(dict(state=SampleState()))
    runner = SimpleNamespace(model=model, train_dataloader=loader, _train_loop=object())
    if copies == 1:
        SampleStateHook().before_run(runner)
        assert model['state'].values.tolist() == [0] * 5
        return
    with pytest.raises(ValueError, match=r'sample_idx does not tell them apart. Fix'):
        SampleStateHook().before_run(runner)


def test_the_average_of_the_weights_has_it_too(train):
    ema = [dict(type='EMAHook', momentum=0.5)]
    runner = train('run', custom_hooks=ema, **{'train_cfg.max_epochs': 1})
    (hook,) = [h for h in runner.hooks if type(h).__name__ == 'EMAHook']
    assert hook.ema_model.module.head.seen.values.tolist() == [[1, 0]] * SAMPLES


def test_testing_does_without(train, tmp_path, monkeypatch, capsys):
    trained = train('run', **{'train_cfg.max_epochs': 1})
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)
    path = Path(trained.work_dir) / 'epoch_1.pth'
    options = {
        'load_from': str(path),
        'test_dataloader.dataset.size': 8,
        'test_dataloader.num_workers': 0,
    }
    cfg = load_config(tmp_path / 'counting.py', options, str(tmp_path / 'test'))
    tester = build_runner(cfg)
    tester.test()
    assert len(counts(tester)) == 0
    assert 'seen' not in capsys.readouterr().out
    weights = trained.model.head.fc.weight
    assert torch.equal(tester.model.head.fc.weight, weights)
