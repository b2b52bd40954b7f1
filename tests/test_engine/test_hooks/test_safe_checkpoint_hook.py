from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from torch import nn

from eac_mm.engine import SafeCheckpointHook


def make_runner(model, training=False, resume=False):
    loop = object() if training else dict(by_epoch=True)
    return SimpleNamespace(model=model, _train_loop=loop, _resume=resume)


def make_model(classes=3):
    model = nn.Module()
    model.backbone = nn.Linear(2, 2)
    model.head = nn.Linear(2, classes)
    return model


def test_message_hub_survives_weights_only(tmp_path):
    hub = MessageHub('test_message_hub_survives_weights_only')
    for value in (1.0, 2.0, 6.0):
        hub.update_scalar('train/loss', value)
    hub.update_info('best', np.float64(3.5))
    checkpoint = dict(message_hub=hub.state_dict(), state_dict={}, meta={})
    hook = SafeCheckpointHook()
    hook.before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / 'a.pth')
    loaded = torch.load(tmp_path / 'a.pth', weights_only=True)
    loaded['state_dict'] = make_model().state_dict()
    hook.after_load_checkpoint(make_runner(make_model()), loaded)
    other = MessageHub('another')
    other.load_state_dict(loaded['message_hub'])
    assert other.get_scalar('train/loss').mean(2) == 4.0
    assert other.get_scalar('train/loss').data[0].tolist() == [1.0, 2.0, 6.0]
    assert other.get_info('best') == 3.5


def test_the_config_inside_a_checkpoint_is_dropped():
    meta = dict(config='raise SystemExit', epoch=1)
    checkpoint = dict(meta=meta, state_dict=make_model().state_dict())
    SafeCheckpointHook().after_load_checkpoint(make_runner(make_model()), checkpoint)
    assert checkpoint['meta'] == dict(epoch=1)


@pytest.mark.parametrize(
    ('training', 'resume', 'fits'),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_another_head_may_only_start_a_training(training, resume, fits):
    checkpoint = dict(state_dict=make_model(classes=8).state_dict())
    runner = make_runner(make_model(), training, resume)
    if fits:
        SafeCheckpointHook().after_load_checkpoint(runner, checkpoint)
    else:
        with pytest.raises(ValueError, match=r'head.weight \(8, 2\) for \(3, 2\)'):
            SafeCheckpointHook().after_load_checkpoint(runner, checkpoint)
