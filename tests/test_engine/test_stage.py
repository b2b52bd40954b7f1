from types import SimpleNamespace

import pytest

from eac_mm.engine.stage import is_built, is_starting, is_training


@pytest.mark.parametrize(
    ('loop', 'built'), [(None, False), (dict(by_epoch=True), False), (object(), True)]
)
def test_a_loop_is_a_dict_until_it_runs(loop, built):
    assert is_built(loop) is built
    assert is_training(SimpleNamespace(_train_loop=loop)) is built


@pytest.mark.parametrize(
    ('loop', 'starting'),
    [
        (dict(by_epoch=True), False),
        (SimpleNamespace(iter=0), True),
        (SimpleNamespace(iter=1), False),
    ],
)
def test_a_training_starts_until_its_first_step(loop, starting):
    assert is_starting(SimpleNamespace(_train_loop=loop)) is starting
