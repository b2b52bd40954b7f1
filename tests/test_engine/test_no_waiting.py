"""No step asks the device for a number, which a GPU would be waited for."""

from contextlib import ExitStack

import pytest
import torch
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from eac_mm.apis import build_runner, load_config
from eac_mm.engine import FiniteLossHook

# Operations whose result, or its size, the host needs.
WAITING = {
    'aten::_local_scalar_dense',
    'aten::equal',
    'aten::is_nonzero',
    'aten::masked_select',
    'aten::nonzero',
    'aten::unique_consecutive',
    'aten::_unique2',
}


# Methods that fetch a tensor without an operation that could be seen. Seed, epoch and
# indices are whole numbers and lie with the host anyway.
FETCHING = {'cpu', 'item', 'tolist'}


class WatchMethods(TorchFunctionMode):
    """Note the names of methods that fetch."""

    def __init__(self, waiting):
        super().__init__()
        self.waiting = waiting

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, '__name__', '')
        if name in FETCHING and args[0].is_floating_point():
            self.waiting.append(name)
        return func(*args, **(kwargs or {}))


class WatchOperations(TorchDispatchMode):
    """Note the names of operations that wait, those of the backward pass, too."""

    def __init__(self, waiting):
        super().__init__()
        self.waiting = waiting
        self.seen = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen += 1
        name = func._schema.name
        # An index that is a mask is looked through for its ones.
        masks = name.startswith('aten::index') and any(
            isinstance(i, torch.Tensor) and i.dtype in (torch.bool, torch.uint8)
            for i in (args[1] if isinstance(args[1], list | tuple) else ())
        )
        if name in WAITING or masks:
            self.waiting.append(name)
        return func(*args, **(kwargs or {}))


class Watch:
    """Watch from ``open`` to ``close``."""

    def __init__(self):
        self.waiting = []
        self.operations = WatchOperations(self.waiting)
        self.stack = ExitStack()

    def open(self):
        self.stack.enter_context(self.operations)
        self.stack.enter_context(WatchMethods(self.waiting))
        return self

    def close(self):
        self.stack.close()


class WatchHook(Hook):
    """Watch the second iteration of each epoch, from its batch to its last hook."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.watches = []

    def after_train_iter(self, runner, batch_idx, **kwargs):
        if batch_idx == 0:
            self.watches.append(Watch().open())
        elif batch_idx == 1:
            self.watches[-1].close()


if 'WatchHook' not in HOOKS:
    HOOKS.register_module(module=WatchHook)


def test_the_watch_sees():
    values = torch.tensor([0.0, 2.0])
    watch = Watch().open()
    try:
        bool(values[0] > 1)
        values[values > 1]
        values[torch.tensor([0])]
        values.tolist()
        values.cpu()
    finally:
        watch.close()
    values.tolist()
    seen = ['aten::_local_scalar_dense', 'aten::index', 'tolist', 'cpu']
    assert watch.waiting == seen


@pytest.mark.parametrize(
    ('recipe', 'own'),
    [
        ('eac/resnet18_rafdb_noise30', {}),
        ('scn/resnet18_rafdb_noise30', {'model.head.relabel_start': 1}),
    ],
)
def test_no_step_waits(recipe, own, tmp_path, small_options, monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    monkeypatch.setattr(
        FiniteLossHook, 'is_on_cpu', staticmethod(lambda outputs: False)
    )
    options = {
        **small_options,
        **own,
        'train_dataloader.dataset.rate': 0.3,
        'custom_hooks': [dict(type='WatchHook')],
        'default_hooks.recorder.type': 'TrainingRecorderHook',
    }
    recipe = f'configs/{recipe}.py'
    runner = build_runner(load_config(recipe, options, str(tmp_path), cache='device'))
    [hook] = [hook for hook in runner.hooks if isinstance(hook, WatchHook)]
    try:
        runner.train()
    finally:
        for watch in hook.watches:
            watch.close()
    # The third and last one may wait: it logs, and saves.
    assert len(runner.train_dataloader) == 3
    assert len(hook.watches) == 2
    assert all(watch.operations.seen > 100 for watch in hook.watches)
    assert [watch.waiting for watch in hook.watches] == [[], []]
