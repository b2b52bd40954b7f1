from collections import OrderedDict

import pytest
import torch
from mmengine.hooks import EMAHook, Hook
from short_training import train

from eac_mm.engine import CheckpointFormatHook

RECIPE = 'configs/baseline/resnet18_syntheticfer_noise30.py'


@pytest.mark.parametrize(
    ('content', 'others'),
    [
        (dict(state_dict=dict(a=1), meta={}), dict(meta={})),
        (OrderedDict(a=1), {}),
        (dict(model=dict(a=1), epoch=3), dict(model=dict(a=1), epoch=3)),
        (dict(net=dict(a=1), acc=0.5), dict(net=dict(a=1), acc=0.5)),
        (dict(model_state_dict=dict(a=1)), dict(model_state_dict=dict(a=1))),
    ],
)
def test_weights_are_where_hooks_look(content, others):
    CheckpointFormatHook().after_load_checkpoint(None, content)
    assert content == dict(others, state_dict=dict(a=1))


def test_a_key_called_model_may_be_a_weight():
    content = dict(model=torch.ones(2))
    CheckpointFormatHook().after_load_checkpoint(None, content)
    assert list(content) == ['state_dict']
    assert list(content['state_dict']) == ['model']


class Stop(Exception):
    """Ends a training before its first step."""


class Look(Hook):
    """See what model and average hold before the first step."""

    priority = 'LOWEST'

    def before_train(self, runner):
        (average,) = [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
        self.average = average.ema_model.module.state_dict()
        self.model = runner.model.state_dict()
        raise Stop


@pytest.mark.parametrize('wrapper', [None, 'net'])
def test_a_moving_average_starts_from_a_file_of_weights(tmp_path, wrapper):
    key, look = 'backbone.conv1.weight', Look()
    options = {'default_hooks.ema': dict(type='EMAHook')}
    with pytest.raises(Stop):
        train(RECIPE, tmp_path / 'a', look, **options)
    weights = {k: torch.full_like(v, 0.25) for k, v in look.model.items()}
    torch.save({wrapper: weights} if wrapper else weights, tmp_path / 'weights.pth')
    options['load_from'] = str(tmp_path / 'weights.pth')
    with pytest.raises(Stop):
        train(RECIPE, tmp_path / 'b', look, **options)
    assert torch.equal(look.model[key], weights[key])
    assert torch.equal(look.average[key], weights[key])
