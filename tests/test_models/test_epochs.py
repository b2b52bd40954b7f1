import pytest
from torch import nn

from eac_mm.models.epochs import known_epoch


def test_the_epoch_is_known_or_named():
    module = nn.Linear(1, 1)
    module.epoch = 0
    assert known_epoch(module, 'model.head.epoch') == 0
    module.epoch = None
    with pytest.raises(
        ValueError, match=r'Linear does not .* Fix: .* model.head.epoch'
    ):
        known_epoch(module, 'model.head.epoch')
