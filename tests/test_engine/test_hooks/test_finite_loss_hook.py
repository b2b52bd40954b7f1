import math
from types import SimpleNamespace

import pytest
import torch

from eac_mm.engine import FiniteLossHook


def make_runner(length=4):
    wrapper = SimpleNamespace(get_lr=lambda: dict(lr=[0.002]))
    return SimpleNamespace(
        iter=0, optim_wrapper=wrapper, train_dataloader=range(length)
    )


def step(hook, runner, loss, name='a.jpg'):
    sample = SimpleNamespace(metainfo=dict(img_path=name))
    outputs = dict(loss=torch.tensor(loss))
    hook.after_train_iter(runner, 0, dict(data_samples=[sample]), outputs)
    runner.iter += 1


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_stops_at_once_on_the_cpu_and_says_where(value):
    hook, runner = FiniteLossHook(), make_runner(length=4)
    for i in range(5):
        step(hook, runner, 1.0 + i)
    message = r'epoch 2, iteration 2 of 4 \(iteration 6 in all\), learning rate 0.002'
    with pytest.raises(FloatingPointError, match=message) as caught:
        step(hook, runner, value, 'bad face.jpg')
    assert 'bad face.jpg' in str(caught.value)
    assert str(value) in str(caught.value)


def test_without_a_loss_all_values_are_looked_at():
    hook, runner = FiniteLossHook(), make_runner()
    outputs = dict(generator=torch.tensor(2.0), critic=3.5, note='x')
    hook.after_train_iter(runner, 0, None, outputs)
    outputs['critic'] = math.nan
    with pytest.raises(FloatingPointError, match='generator 2, critic nan'):
        hook.after_train_iter(runner, 1, None, outputs)


def test_on_a_device_it_looks_now_and_then_and_names_the_first(monkeypatch):
    hook, runner = FiniteLossHook(interval=4), make_runner(length=4)
    monkeypatch.setattr(hook, 'is_on_cpu', lambda outputs: False)
    step(hook, runner, 1.0, '0.jpg')
    step(hook, runner, math.nan, '1.jpg')
    step(hook, runner, math.nan, '2.jpg')  # nothing was looked at yet
    with pytest.raises(FloatingPointError, match=r'epoch 1, iteration 2 of 4.*1.jpg'):
        step(hook, runner, 1.0, '3.jpg')


def test_on_a_device_it_looks_before_the_epoch_is_saved(monkeypatch):
    hook, runner = FiniteLossHook(interval=100), make_runner(length=4)
    monkeypatch.setattr(hook, 'is_on_cpu', lambda outputs: False)
    step(hook, runner, math.nan, '0.jpg')
    with pytest.raises(FloatingPointError, match=r'0.jpg'):
        hook.after_train_epoch(runner)


@pytest.mark.parametrize('moment', ['before_checkpoint', 'before_save_checkpoint'])
def test_on_a_device_it_looks_before_any_checkpoint(monkeypatch, moment):
    hook, runner = FiniteLossHook(interval=100), make_runner(length=4)
    monkeypatch.setattr(hook, 'is_on_cpu', lambda outputs: False)
    step(hook, runner, math.nan, '0.jpg')
    words = [runner] if moment == 'before_checkpoint' else [runner, {}]
    with pytest.raises(FloatingPointError, match=r'0.jpg'):
        getattr(hook, moment)(*words)


def test_parameters_that_are_not_finite_are_not_saved():
    hook, runner = FiniteLossHook(), make_runner()
    runner.model = torch.nn.BatchNorm1d(3)
    step(hook, runner, 1.0)
    state = {key: value.clone() for key, value in runner.model.state_dict().items()}
    state['running_mean'][0] = math.nan  # a buffer may hold what it likes
    hook.before_save_checkpoint(runner, dict(state_dict=state))
    state['bias'][1] = math.inf
    with pytest.raises(FloatingPointError, match='bias is not finite after iteration'):
        hook.before_save_checkpoint(runner, dict(state_dict=state))


def test_the_epoch_s_end_looks_and_forgets():
    hook, runner = FiniteLossHook(interval=100), make_runner()
    for _ in range(4):
        step(hook, runner, 1.0)
    hook.after_train_epoch(runner)
    assert not hook.recent


def test_interval():
    with pytest.raises(ValueError, match='interval=0. Fix: '):
        FiniteLossHook(interval=0)
