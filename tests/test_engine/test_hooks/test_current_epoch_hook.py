from types import SimpleNamespace

import pytest
from torch import nn

from eac_mm.engine import CurrentEpochHook


class Timed(nn.Module):
    epoch = None


@pytest.mark.parametrize(
    ('model', 'head'),
    [
        (Timed(), nn.Identity()),
        (nn.Module(), Timed()),
        (Timed(), Timed()),
        (nn.Module(), nn.Identity()),
    ],
)
def test_those_that_ask_learn_the_epoch(model, head):
    model.head = head
    runner = SimpleNamespace(model=model, train_dataloader=range(4), iter=0)
    told = [part for part in (model, head) if isinstance(part, Timed)]
    hook, found = CurrentEpochHook(), []
    hook.before_run(runner)
    assert [part.epoch for part in told] == [0] * len(told)
    for runner.iter in (0, 3, 4, 7, 8):
        hook.before_train_iter(runner, 0)
        found.append([part.epoch for part in told])
    assert found == [[epoch] * len(told) for epoch in (0, 0, 1, 1, 2)]
    assert Timed.epoch is None  # these models alone
    others = [part for part in (model, head) if part not in told]
    assert not any(hasattr(part, 'epoch') for part in others)


def test_a_model_without_a_head():
    runner = SimpleNamespace(model=Timed(), train_dataloader=range(4), iter=9)
    hook = CurrentEpochHook()
    hook.before_run(runner)
    hook.before_train_iter(runner, 0)
    assert runner.model.epoch == 2
