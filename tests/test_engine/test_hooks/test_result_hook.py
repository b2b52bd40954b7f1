import json
import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine import Config
from torch.utils.data import ConcatDataset, Subset

from eac_mm.datasets import NoisyLabels, SyntheticFER
from eac_mm.engine import BFloat16OptimWrapper, ResultHook, RunIdentityHook
from eac_mm.engine.hooks import result_hook
from eac_mm.engine.hooks.result_hook import describe_data
from eac_mm.evaluation import MeanClass
from eac_mm.utils import hardware, revision
from eac_mm.version import MEASURES


def make_runner(work_dir, resume=False, epoch=0):
    cfg = Config(dict(load_from='weights/a.pth'), ' ', 'configs/eac/recipe.py')
    identity = RunIdentityHook()
    identity.identity = dict(seed=3)
    return SimpleNamespace(
        work_dir=str(work_dir),
        cfg=cfg,
        seed=3,
        epoch=epoch,
        _resume=resume,
        logger=logging.getLogger('test_result_hook'),
        val_loop=None,
        train_dataloader=SimpleNamespace(dataset=SyntheticFER(size=4)),
        hooks=[identity],
        model=torch.nn.Linear(1, 1),
        optim_wrapper=None,
        _train_loop=SimpleNamespace(iter=0),
        train_loop=SimpleNamespace(val_begin=1, val_interval=1, max_epochs=5),
    )


def train(hook, runner, accuracies):
    for accuracy in accuracies:
        hook.before_train_epoch(runner)
        runner.epoch += 1
        hook.after_val_epoch(
            runner,
            {
                'accuracy/top1': accuracy,
                'mean_class/accuracy': accuracy - 10,
                'noise/memorised': 1.0,
            },
        )


def test_mean_of_the_last_epochs_and_best_epoch(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    runner, hook = make_runner(tmp_path), ResultHook(last=2)
    hook.before_train(runner)
    train(hook, runner, [50.0, 90.0, 60.0, 63.0])
    assert not json.loads((tmp_path / 'result.json').read_text())['finished']
    hook.after_train(runner)
    result = json.loads((tmp_path / 'result.json').read_text())
    assert result['finished']
    assert result['identity'] == dict(seed=3)
    assert (result['config'], result['seed'], result['last']) == ('recipe.py', 3, 2)
    assert result['last_mean']['accuracy/top1'] == 61.5
    assert result['last_mean']['noise/memorised'] == 1.0
    assert result['best_epoch']['epoch'] == 2
    assert result['best_epoch']['accuracy/top1'] == 90.0
    assert [e['accuracy/top1'] for e in result['epochs']] == [50.0, 90.0, 60.0, 63.0]
    assert result['last_mean']['mean_class/accuracy'] == 51.5
    assert result['best_epoch']['mean_class/accuracy'] == 80.0
    assert 'Mean of 2 validations, epochs 3 to 4: ' in caplog.text
    assert 'accuracy/top1 61.50, mean_class/accuracy 51.50, ' in caplog.text
    assert (
        'Finished epoch 4 after 0.0 min; best: epoch 2 with accuracy/top1 90.00, too '
        'high a figure, for it was chosen on the data it is measured on. Checkpoints: '
        f'{tmp_path}' in caplog.text
    )


def test_the_result_describes_data_and_noise(tmp_path):
    faces = SyntheticFER(size=20)
    noisy = NoisyLabels(faces, rate=0.3, seed=1)
    wrong = int((noisy.given_labels != noisy.clean_labels).sum())
    noise = dict(kind='symmetric', rate=0.3, seed=1, wrong=wrong)
    assert describe_data(noisy) == dict(type='SyntheticFER', samples=20, noise=noise)
    noisy.write(tmp_path / 'noise.txt')
    read = NoisyLabels(faces, noise_file=tmp_path / 'noise.txt')
    assert describe_data(read)['noise'] == dict(
        kind='file', noise_file='noise.txt', wrong=wrong
    )
    swap = dict(happy='sad')
    moved = NoisyLabels(faces, kind='asymmetric', rate=0.5, transition=swap)
    assert describe_data(moved)['noise']['transition'] == swap
    both = ConcatDataset([read, moved])
    assert describe_data(both)['samples'] == 40
    assert [n['kind'] for n in describe_data(both)['noise']] == ['file', 'asymmetric']
    assert describe_data(faces) == dict(type='SyntheticFER', samples=20)
    # What is left out does not count, and what is repeated counts once.
    _, *kept = noisy.wrong_indices.tolist()
    found = describe_data(Subset(noisy, [*kept, *kept]))
    assert found['samples'] == 2 * (wrong - 1)
    assert found['noise'] == {**noise, 'wrong': wrong - 1}

    runner, hook = make_runner(tmp_path), ResultHook()
    runner.train_dataloader.dataset = noisy
    metric = MeanClass()
    metric.dataset_meta = dict(classes=('a', 'b', 'c'))
    runner.val_loop = SimpleNamespace(evaluator=SimpleNamespace(metrics=[metric]))
    runner.val_dataloader = SimpleNamespace(dataset=faces)
    hook.before_train(runner)
    train(hook, runner, [50.0])
    result = json.loads((tmp_path / 'result.json').read_text())
    assert result['last_by_class'] is None
    assert result['data'] == dict(
        train=describe_data(noisy), val=dict(type='SyntheticFER', samples=20)
    )
    # Predicted and true: one of two a right, the only c wrong, no b.
    metric.compute_metrics([(0, 0), (1, 0), (0, 2)])
    train(hook, runner, [60.0])
    result = json.loads((tmp_path / 'result.json').read_text())
    assert result['last_by_class'] == dict(a=50.0, b=None, c=0.0)


def saved_by(hook, runner):
    checkpoint = {}
    hook.before_save_checkpoint(runner, checkpoint)
    return checkpoint


def resume(runner, checkpoint):
    runner._resume, hook = True, ResultHook()
    hook.after_load_checkpoint(runner, checkpoint)
    hook.before_train(runner)
    return hook


def test_a_resumed_run_has_the_metrics_of_its_checkpoint(tmp_path):
    runner, hook = make_runner(tmp_path / 'old'), ResultHook(last=5)
    hook.before_train(runner)
    train(hook, runner, [10.0, 20.0])
    checkpoint = saved_by(hook, runner)  # in the epoch that is the third
    train(hook, runner, [30.0])
    resumed, hook = make_runner(tmp_path, resume=True, epoch=2), ResultHook(last=5)
    hook.after_load_checkpoint(resumed, checkpoint)
    hook.before_train(resumed)
    train(hook, resumed, [60.0])
    hook.after_train(resumed)
    result = json.loads((tmp_path / 'result.json').read_text())
    assert [e['epoch'] for e in result['epochs']] == [1, 2, 3]
    assert result['last_mean']['accuracy/top1'] == 30.0


def test_the_seconds_of_an_epoch_survive(tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr('time.monotonic', lambda: clock[0])
    runner, hook = make_runner(tmp_path), ResultHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    clock[0] += 7
    checkpoint = saved_by(hook, runner)
    clock[0] = 5000.0  # on another machine
    hook = resume(runner, checkpoint)
    clock[0] += 2
    hook.after_val_epoch(runner, {'accuracy/top1': 1.0})
    assert hook.epochs[0]['seconds'] == 9.0


def test_epochs_without_validation_add_their_seconds(tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr('time.monotonic', lambda: clock[0])
    runner, hook = make_runner(tmp_path), ResultHook()
    hook.before_train(runner)
    clock[0] += 50  # preparations do not count
    for epoch in range(1, 4):
        hook.before_train_epoch(runner)
        clock[0] += 10
        runner.epoch = epoch
        if epoch != 2:
            hook.after_val_epoch(runner, {'accuracy/top1': 1.0})
    seconds = [(e['epoch'], e['seconds']) for e in hook.epochs]
    assert seconds == [(1, 10.0), (3, 20.0)]


def test_the_cost_of_a_run_survives(tmp_path, monkeypatch):
    cores = [100.0]
    monkeypatch.setattr('time.process_time', lambda: cores[0])
    runner, hook = make_runner(tmp_path), ResultHook()

    def cost():
        return json.loads((tmp_path / 'result.json').read_text())['cost']

    hook.before_train(runner)
    cores[0] += 30
    train(hook, runner, [10.0])
    assert cost()['seconds'] == 30.0
    assert cost()['parameters'] == 2  # a weight and a bias
    # PyTorch alone takes some 100 MB; a wrong unit would be off by 1,024
    assert 5e7 < cost()['peak_memory'] < 2e10
    cores[0] += 7
    checkpoint = saved_by(hook, runner)
    cores[0] = 5.0  # in another process
    hook = resume(runner, checkpoint)
    cores[0] += 2
    train(hook, runner, [20.0])
    assert cost()['seconds'] == 39.0
    # what an older checkpoint does not say is not made up
    checkpoint = saved_by(hook, runner)
    del checkpoint['result']['spent']
    hook = resume(runner, checkpoint)
    train(hook, runner, [20.0])
    assert cost()['seconds'] is None


def test_an_older_checkpoint_leaves_the_metrics_to_the_file(tmp_path):
    runner, hook = make_runner(tmp_path), ResultHook()
    hook.before_train(runner)
    train(hook, runner, [10.0, 20.0, 30.0])
    # The validation of epoch 2 is repeated.
    resumed, hook = make_runner(tmp_path, resume=True, epoch=2), ResultHook()
    hook.after_load_checkpoint(resumed, {})
    hook.before_train(resumed)
    assert [e['accuracy/top1'] for e in hook.epochs] == [10.0]


def test_a_new_run_does_not_take_up_an_old_one(tmp_path):
    runner, hook = make_runner(tmp_path), ResultHook()
    hook.before_train(runner)
    train(hook, runner, [10.0])
    hook.before_train(make_runner(tmp_path))
    assert hook.epochs == []


def test_without_the_metric_there_is_no_best_epoch(tmp_path):
    runner, hook = make_runner(tmp_path), ResultHook(metric='accuracy/top5')
    hook.before_train(runner)
    train(hook, runner, [10.0])
    assert json.loads((tmp_path / 'result.json').read_text())['best_epoch'] is None


def test_metrics_of_any_numeric_type_are_written(tmp_path):
    runner, hook = make_runner(tmp_path), ResultHook()
    hook.before_train(runner)
    for accuracy in (10.0, 20.0):
        runner.epoch += 1
        metrics = {
            'accuracy/top1': np.float32(accuracy),
            'int': np.int64(3),
            'array': np.array(accuracy),
            'tensor': torch.tensor(accuracy),
            'per_class': torch.tensor([0.12346, accuracy]),
            'name': 'x',
        }
        hook.after_val_epoch(runner, metrics)
    hook.after_train(runner)
    result = json.loads((tmp_path / 'result.json').read_text())
    assert result['best_epoch']['accuracy/top1'] == 20.0
    assert result['epochs'][0]['per_class'] == [0.1235, 10.0]
    assert result['epochs'][0]['name'] == 'x'
    result['last_mean'].pop('seconds')
    assert result['last_mean'] == {
        'accuracy/top1': 15.0,
        'int': 3.0,
        'array': 15.0,
        'tensor': 15.0,
    }


def test_last_must_be_positive():
    with pytest.raises(ValueError, match='last=0. Fix: '):
        ResultHook(last=0)


def read(folder):
    return json.loads((folder / 'result.json').read_text())


def test_the_file_says_what_made_the_figures(tmp_path):
    runner, hook = make_runner(tmp_path), ResultHook()
    hook.before_train(runner)
    train(hook, runner, [10.0])
    result = read(tmp_path)
    assert result['measures'] == MEASURES
    assert result['start'] == ['a.pth']
    [session] = result['sessions']
    assert session == dict(
        code=revision.describe(), machine=hardware.describe(), precision='float32'
    )


def test_precision_is_that_which_the_device_has(tmp_path, monkeypatch):
    weights = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(weights.parameters(), 0.1)
    for has, precision in ((True, 'bfloat16'), (False, 'float32')):
        monkeypatch.setattr(hardware, 'has_fast_bfloat16', lambda has=has: has)
        runner, hook = make_runner(tmp_path), ResultHook()
        runner.optim_wrapper = BFloat16OptimWrapper(optimizer)
        hook.before_train(runner)
        assert hook.sessions[0]['precision'] == precision


def test_a_run_that_goes_on_elsewhere_says_so(tmp_path, monkeypatch):
    runner, hook = make_runner(tmp_path), ResultHook()
    hook.before_train(runner)
    train(hook, runner, [10.0])
    for machine in ('another', 'another'):  # the second time, nothing is new
        checkpoint = saved_by(hook, runner)
        monkeypatch.setattr(result_hook.hardware, 'describe', lambda: 'another')
        runner, hook = make_runner(tmp_path, resume=True, epoch=1), ResultHook()
        runner.cfg.load_from = 'epoch_1.pth'
        hook.after_load_checkpoint(runner, checkpoint)
        hook.before_train(runner)
        train(hook, runner, [20.0])
        result = read(tmp_path)
        assert [s['machine'] for s in result['sessions']][1:] == [machine]
        assert result['start'] == ['a.pth']  # not the checkpoint it resumed
