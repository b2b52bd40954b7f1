"""What is known of the arguments of classes and functions."""

import pytest
from mmengine import Config

from eac_mm.apis.parameters import of_component, of_dict, of_type, top_level


class Closed:
    def __init__(self, a, *, b=1):
        pass


class PassesOn(Closed):
    def __init__(self, c, **kwargs):
        super().__init__(c, **kwargs)


class ByName(Closed):
    def __init__(self, *args, c=1, **rest):
        rest.setdefault('b', 2)
        self.d = rest.pop('d', None)
        Closed.__init__(self, *args, **rest)


class Looks(Closed):
    def __init__(self, **kwargs):
        for name in ('a', 'b'):
            if kwargs.get(name) is None or kwargs[name] < 0:
                raise ValueError(name)
        super().__init__(**kwargs)


class TakesAny(Closed):
    def __init__(self, **kwargs):
        for name in self.names:
            kwargs.pop(name)
        super().__init__(**kwargs)


class Writes(Closed):
    def __init__(self, **kwargs):
        for name in self.names:
            kwargs[name] = None
        super().__init__(**kwargs)


class Inherits(PassesOn):
    pass


class Keeps(Closed):
    def __init__(self, c, **kwargs):
        super().__init__(c)
        self.kept = kwargs


class PassesElsewhere(Closed):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        Closed(**kwargs)


class Bare:
    pass


def function(a, b=1):
    pass


def any_function(a, **kwargs):
    pass


@pytest.mark.parametrize(
    ('component', 'names'),
    [
        (Closed, {'a', 'b'}),
        (PassesOn, {'a', 'b', 'c'}),
        (ByName, {'a', 'b', 'c', 'd'}),
        (Inherits, {'a', 'b', 'c'}),
        (Looks, {'a', 'b'}),
        (TakesAny, None),
        (Writes, None),
        (Keeps, None),
        (PassesElsewhere, None),
        (Bare, set()),
        (function, {'a', 'b'}),
        (any_function, None),
    ],
)
def test_arguments(component, names):
    assert of_component(component) == names
    assert of_type(component) == names


@pytest.mark.parametrize(
    ('name', 'some'),
    [
        ('EACHead', {'num_classes', 'consistency_weight', 'loss', 'topk'}),
        ('mmpretrain.ResNet', {'depth', 'frozen_stages'}),
        ('RAFDB', {'data_root', 'on_bad_image', 'indices'}),
        ('SGD', {'lr', 'momentum'}),
        ('CosineAnnealingLR', {'T_max', 'begin', 'by_epoch', 'convert_to_iter_based'}),
        ('SafeCheckpointHook', {'interval', 'save_best', 'save_optimizer', 'priority'}),
        ('BFloat16OptimWrapper', {'accumulative_counts', 'clip_grad'}),
        ('Mixup', {'alpha'}),
    ],
)
def test_registered_names(name, some):
    assert some <= of_type(name)
    assert 'nonsense' not in of_type(name)


@pytest.mark.parametrize('name', ['NoSuchThing', 'TIMMBackbone', 'EMAHook'])
def test_what_cannot_be_known(name):
    assert of_type(name) is None


def test_the_top_level():
    names = top_level()
    assert {'model', 'load_from', 'custom_hooks', 'auto_scale_lr', 'compile'} <= names
    assert not names & {'self', 'cfg', 'optimizer'}
    assert top_level('NoSuchRunner') is None


def test_places():
    cfg = Config(dict(optim_wrapper=dict(optimizer=dict(type='SGD'))))
    assert 'max_epochs' in of_dict('train_cfg', dict(by_epoch=True), cfg)
    assert 'max_iters' in of_dict('train_cfg', dict(by_epoch=False), cfg)
    assert 'requires_grad' in of_dict('model.backbone.norm_cfg', dict(type='BN'), cfg)
    assert of_dict('model.head.anything', dict(a=1), cfg) is None
    keys = of_dict('optim_wrapper.paramwise_cfg.custom_keys.fc', {}, cfg)
    assert {'lr_mult', 'decay_mult', 'momentum'} <= keys
    paramwise = 'optim_wrapper.paramwise_cfg'
    assert 'custom_keys' in of_dict(paramwise, {}, cfg)
    cfg.optim_wrapper.constructor = 'Mine'
    assert of_dict(paramwise, {}, cfg) is None
    assert of_dict('optim_wrapper', cfg.optim_wrapper, cfg) is None
