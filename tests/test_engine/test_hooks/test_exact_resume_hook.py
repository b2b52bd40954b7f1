"""Units; tests/test_reliability/test_owed_validation.py trains."""

from collections import Counter, defaultdict, deque
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.hooks import CheckpointHook, EMAHook, Hook, IterTimerHook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch import nn

from eac_mm.engine import ExactResumeHook
from eac_mm.engine.hooks import exact_resume_hook
from eac_mm.engine.hooks.exact_resume_hook import plain, validation_is_due


class Learner(Hook):
    def __init__(self):
        self.patience, self.count = 3, 0


def make_runner(*hooks, resume=False):
    return SimpleNamespace(
        hooks=list(hooks),
        model=nn.Linear(2, 1),
        _resume=resume,
        val_loop=None,
        train_loop=SimpleNamespace(),
        _train_loop=SimpleNamespace(iter=0),
        logger=SimpleNamespace(info=lambda text: None),
    )


def save(runner, hook):
    checkpoint = dict(optimizer={})
    hook.before_save_checkpoint(runner, checkpoint)
    return checkpoint


def resumed(checkpoint, *hooks):
    hook = ExactResumeHook()
    runner = make_runner(*hooks, resume=True)
    hook.after_load_checkpoint(runner, checkpoint)
    hook.before_train(runner)
    return runner


def test_only_what_changed_is_saved(tmp_path):
    one, two, clock = Learner(), Learner(), IterTimerHook()
    runner, hook = make_runner(one, two, clock), ExactResumeHook()
    hook.before_train(runner)
    two.count, two.new, clock.start_iter = np.int64(7), [1.5, 'a'], 5
    checkpoint = save(runner, hook)
    assert checkpoint['exact_resume']['hooks'] == {
        'Learner#1': dict(count=7, new=[1.5, 'a'])
    }
    torch.save(checkpoint, tmp_path / 'a.pth')
    loaded = torch.load(tmp_path / 'a.pth', weights_only=True)
    again, other = Learner(), Learner()
    other.patience = 9  # changed by the user: it stays so
    resumed(loaded, again, other)
    assert vars(again) == dict(patience=3, count=0)
    assert vars(other) == dict(patience=9, count=7, new=[1.5, 'a'])


@pytest.mark.parametrize(
    'make',
    [
        lambda: {'a': (1, None)},
        lambda: {1, 2},
        lambda: deque([1, 2], maxlen=3),
        lambda: defaultdict(list, a=[1]),
        lambda: Counter('abba'),
        lambda: np.arange(3.0),
        lambda: torch.arange(3),
    ],
)
def test_types_survive(make, tmp_path):
    learner, value = Learner(), make()
    learner.state = type(value)() if isinstance(value, set | dict) else make() * 2
    if isinstance(value, defaultdict):
        learner.state = defaultdict(list)
    runner, hook = make_runner(learner), ExactResumeHook()
    hook.before_train(runner)
    fresh = Learner()
    fresh.state, learner.state = learner.state, value
    torch.save(save(runner, hook), tmp_path / 'a.pth')
    resumed(torch.load(tmp_path / 'a.pth', weights_only=True), fresh)
    assert type(fresh.state) is type(value)
    assert repr(fresh.state) == repr(value)


def test_hooks_that_keep_their_own_state_are_left_alone():
    hooks = [CheckpointHook(), EMAHook(), IterTimerHook(), Learner()]
    found = exact_resume_hook.named_hooks(make_runner(*hooks))
    assert found == [('Learner#0', hooks[-1])]


def test_other_values_are_no_plain_ones():
    for value in (
        object(),
        [object()],
        {'a': object()},
        nn.Linear(1, 1),
        np.array('a'),
    ):
        with pytest.raises(TypeError, match='is not saved'):
            plain(value)


def test_a_copy_is_saved():
    tensor, items = torch.zeros(2), [[1]]
    copied = plain((tensor, items))
    tensor[0] = 5
    items[0].append(2)
    assert copied[0].tolist() == [0, 0] and copied[1] == [[1]]


def test_checkpoints_come_last_and_the_validation_after_all_set_ups():
    lowest = Learner()
    checkpoints, hook = CheckpointHook(), ExactResumeHook()
    runner = make_runner(checkpoints, hook, lowest)
    hook.before_run(runner)
    assert runner._hooks == [lowest, checkpoints, hook]


@pytest.mark.parametrize(
    ('rank', 'size', 'expected'),
    [(0, 2, [1.0, 2.0]), (1, 2, [5.0, 6.0]), (0, 3, [3.0, 4.0])],
)
def test_each_process_gets_its_gradients_or_their_mean(
    monkeypatch, rank, size, expected
):
    monkeypatch.setattr(exact_resume_hook, 'get_rank', lambda: rank)
    monkeypatch.setattr(exact_resume_hook, 'get_world_size', lambda: size)
    saved = dict(weight=[torch.tensor([[1.0, 2.0]]), torch.tensor([[5.0, 6.0]])])
    checkpoint = dict(optimizer={}, exact_resume=dict(gradients=saved, hooks={}))
    runner = resumed(checkpoint)
    assert runner.model.weight.grad.tolist() == [expected]
    assert runner.model.bias.grad is None


def test_a_checkpoint_from_before_this_hook_is_taken():
    learner = Learner()
    resumed(dict(optimizer={}), learner)
    assert learner.count == 0


def test_weights_alone_may_start_a_run_and_not_resume_one():
    hook = ExactResumeHook()
    hook.after_load_checkpoint(make_runner(), dict(state_dict={}))
    with pytest.raises(
        ValueError, match=r'no optimiser state.*Fix: resume from epoch_N'
    ):
        hook.after_load_checkpoint(make_runner(resume=True), dict(state_dict={}))


@pytest.mark.parametrize(
    ('kind', 'done', 'due'),
    [
        (EpochBasedTrainLoop, 0, False),
        (EpochBasedTrainLoop, 2, False),
        (EpochBasedTrainLoop, 3, False),
        (EpochBasedTrainLoop, 4, True),
        (EpochBasedTrainLoop, 5, True),
        (IterBasedTrainLoop, 4, True),
        (IterBasedTrainLoop, 3, False),
        (object, 4, False),
    ],
)
def test_when_a_validation_is_due(kind, done, due):
    class Loop(kind):
        val_begin, val_interval = 3, 2
        epoch = iter = done
        max_epochs = max_iters = 5

        def __init__(self):
            pass

        def _decide_current_val_interval(self):
            pass

    runner = SimpleNamespace(train_loop=Loop(), val_loop=object())
    assert validation_is_due(runner) is due
    runner.val_loop = None
    assert not validation_is_due(runner)
