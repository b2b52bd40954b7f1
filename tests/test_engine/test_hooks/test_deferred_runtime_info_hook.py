from types import SimpleNamespace

import torch
from mmengine.hooks import LoggerHook
from mmengine.logging import MessageHub

from eac_mm.engine import DeferredRuntimeInfoHook


def make_runner(name):
    return SimpleNamespace(
        cfg=SimpleNamespace(pretty_text=''),
        seed=0,
        epoch=0,
        iter=0,
        max_epochs=1,
        max_iters=7,
        experiment_name=name,
        hooks=[LoggerHook(interval=3)],
        message_hub=MessageHub.get_instance(name),
    )


class Loader(list):
    dataset = None


def logged(runner):
    scalars = runner.message_hub.log_scalars
    return {k: list(scalars[k].data[0]) for k in sorted(scalars)}


def test_losses_are_read_when_they_are_logged():
    runner = make_runner('deferred')
    runner.train_dataloader = Loader(range(7))
    hook = DeferredRuntimeInfoHook()
    hook.before_train(runner)
    known = []
    for i in range(7):
        outputs = dict(loss=torch.tensor(float(i), requires_grad=True) * 2)
        hook.after_train_iter(runner, i, None, outputs)
        known.append(len(logged(runner).get('train/loss', ())))
    # every third iteration, and the last of the epoch
    assert known == [0, 0, 3, 3, 3, 6, 7]
    assert logged(runner) == {'train/loss': [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]}


def test_an_epoch_ends_with_nothing_left_over():
    runner = make_runner('short_epoch')
    runner.train_dataloader = Loader(range(2))
    hook = DeferredRuntimeInfoHook()
    hook.before_train(runner)
    hook.after_train_iter(runner, 0, None, dict(loss=torch.tensor(1.0)))
    # a loss that only some iterations have
    outputs = dict(loss=torch.tensor(2.0), loss_extra=torch.tensor(0.5))
    hook.after_train_iter(runner, 1, None, outputs)
    assert logged(runner) == {'train/loss': [1.0, 2.0], 'train/loss_extra': [0.5]}


def test_noted_losses_do_not_hold_the_graph():
    runner = make_runner('graph')
    runner.train_dataloader = Loader(range(5))
    hook = DeferredRuntimeInfoHook()
    hook.before_train(runner)
    loss = torch.tensor(1.0, requires_grad=True) * 3
    hook.after_train_iter(runner, 0, None, dict(loss=loss))
    assert not hook.noted[0]['loss'].requires_grad
