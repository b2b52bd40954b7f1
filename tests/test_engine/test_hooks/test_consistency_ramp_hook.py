from types import SimpleNamespace

import pytest
from torch import nn

from eac_mm.engine import ConsistencyRampHook
from eac_mm.models import EACHead


def make_runner(head, length=4):
    model = nn.Module()
    model.head = head
    return SimpleNamespace(model=model, train_dataloader=range(length), iter=0)


def test_linear_in_iterations_then_one():
    head = EACHead(num_classes=2, in_channels=2)
    runner = make_runner(head)
    hook = ConsistencyRampHook(epochs=2.5)  # 10 iterations
    hook.before_train(runner)
    factors = []
    for runner.iter in (0, 1, 5, 9, 10, 11, 400):
        hook.before_train_iter(runner, 0)
        factors.append(head.ramp)
    assert factors == [0.0, 0.1, 0.5, 0.9, 1.0, 1.0, 1.0]


def test_errors():
    with pytest.raises(ValueError, match='epochs=0. Fix: '):
        ConsistencyRampHook(epochs=0)
    with pytest.raises(ValueError, match='Linear has no consistency weight'):
        ConsistencyRampHook(epochs=1).before_train(make_runner(nn.Linear(2, 2)))
