"""Files in each format that users have: converted, loaded, and computing the same."""

import hashlib
import importlib.util
import os
import pickle
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from mmengine.config import DictAction
from mmpretrain.registry import MODELS
from torch import nn

from eac_mm.apis import build_runner, load_config
from eac_mm.weights import LAYOUTS, convert_weights

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location(
    'convert_weights', ROOT / 'tools' / 'model_converters' / 'convert.py'
)
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)
EAC = ROOT / 'configs' / 'eac' / 'resnet18_rafdb_noise30.py'
SAME = dict(rtol=1e-5, atol=1e-5)


@cache
def original(name):
    """A model of torchvision whose batch norms are not at their start."""
    torch.manual_seed(1)
    model = getattr(torchvision.models, name)(weights=None)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.6, 1.4)
            nn.init.uniform_(module.weight, 0.6, 1.4)
            nn.init.uniform_(module.bias, -0.3, 0.3)
            module.num_batches_tracked.fill_(5)
    return model.eval()


def weights(name='resnet18', **changes):
    """Its weights; changes replace some, or delete them where None."""
    found = dict(original(name).state_dict())
    found.update({key.replace('__', '.'): value for key, value in changes.items()})
    return {key: value for key, value in found.items() if value is not None}


def released(name='resnet18', classes=7):
    """A model with the names of the released EAC code."""
    torch.manual_seed(2)
    children = list(original(name).children())
    model = nn.Module()
    model.features = nn.Sequential(*children[:-2])
    model.features2 = nn.Sequential(*children[-2:-1])
    model.fc = nn.Linear(children[-1].in_features, classes)
    return model.eval()


@pytest.fixture
def convert(tmp_path):
    """Save a state with torch, or bytes as they are, and convert the file."""

    def run(state, *options, old=False):
        source, out = tmp_path / 'source.pth', tmp_path / 'out' / 'converted.pth'
        if isinstance(state, bytes):
            source.write_bytes(state)
        else:
            torch.save(state, source, _use_new_zipfile_serialization=not old)
        tool.main([str(source), str(out), *options])
        assert [path.name for path in out.parent.iterdir()] == [out.name]
        return torch.load(out, weights_only=True)

    return run


def load(backbone, converted):
    """The backbone with the converted weights, all of which it must take."""
    model = MODELS.build(backbone)
    prefix = 'backbone.'
    state = {
        key.removeprefix(prefix): value
        for key, value in converted['state_dict'].items()
        if key.startswith(prefix)
    }
    model.load_state_dict(state, strict=True)
    model.eval()
    return model


def features(name, x):
    """The last feature map of torchvision's model."""
    model = original(name)
    if name == 'mobilenet_v2':
        return model.features(x)
    return nn.Sequential(*list(model.children())[:-2])(x)


@torch.no_grad()
def assert_same_map(converted, name):
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    found = load(converted['meta']['backbone'], converted)(x)[-1]
    expected = features(name, x)
    assert expected.std() > 1e-3
    torch.testing.assert_close(found, expected, **SAME)


@pytest.mark.parametrize(
    ('name', 'kind', 'backbone'),
    [
        ('resnet18', 'resnet', dict(type='ResNet', depth=18)),
        ('resnet50', 'resnet', dict(type='ResNet', depth=50)),
        ('mobilenet_v2', 'mobilenetv2', dict(type='MobileNetV2')),
    ],
)
def test_torchvision(convert, tmp_path, capsys, name, kind, backbone):
    converted = convert(weights(name))
    sha256 = hashlib.sha256((tmp_path / 'source.pth').read_bytes()).hexdigest()
    meta = converted['meta']
    assert (meta['source'], meta['source_sha256']) == ('source.pth', sha256)
    assert (meta['kind'], meta['backbone']) == (kind, backbone)
    assert_same_map(converted, name)
    printed = capsys.readouterr().out
    assert f'({kind})' in printed
    head = 'classifier.1.weight' if kind == 'mobilenetv2' else 'fc.weight'
    assert f'{head} (1000, ' in printed
    assert all(value.any() for key, value in converted['state_dict'].items())


def module(state):
    return {f'module.{key}': value for key, value in state.items()}


@pytest.mark.parametrize(
    'state',
    [
        lambda: module(weights()),
        lambda: dict(state_dict=weights(), epoch=3),
        lambda: dict(state_dict=module(weights()), best=torch.tensor(0.5)),
        lambda: dict(model_state_dict=weights()),
    ],
    ids=['module', 'wrapper', 'both', 'other wrapper'],
)
@pytest.mark.parametrize('old', [False, True], ids=['zip', 'before torch 1.6'])
def test_wrappers(convert, state, old):
    converted = convert(state(), old=old)
    expected = {key: v for key, v in weights().items() if not key.startswith('fc.')}
    assert len(converted['state_dict']) == len(expected)
    for key, value in expected.items():
        assert torch.equal(converted['state_dict'][f'backbone.{key}'], value)


def test_the_heads_of_ms_celeb(convert, capsys):
    state = weights(
        fc__weight=torch.zeros(87, 256),
        fc__bias=torch.zeros(87),
        feature__weight=torch.zeros(256, 512),
        feature__bias=torch.zeros(256),
    )
    old = {key: v for key, v in state.items() if 'num_batches' not in key}
    converted = convert(dict(state_dict=module(old)))
    left = 'fc.weight (87, 256), fc.bias (87,), feature.weight (256, 512)'
    assert left in capsys.readouterr().out
    assert_same_map(converted, 'resnet18')
    assert converted['state_dict']['backbone.bn1.num_batches_tracked'] == 0


def test_half_precision_and_views_are_saved_as_plain_float(convert, tmp_path):
    wide = torch.randn(64, 6, 7, 7)
    converted = convert(weights(conv1__weight=wide.half()[:, ::2]))
    found = converted['state_dict']['backbone.conv1.weight']
    assert found.dtype == torch.float32
    assert torch.equal(found, wide.half().float()[:, ::2])
    assert found.untyped_storage().nbytes() == found.numel() * 4


def numpy_pickle(state):
    arrays = {key: value.numpy() for key, value in state.items()}
    return pickle.dumps(arrays, protocol=2)


def vggface2():
    head = torch.zeros(8631, 2048, dtype=torch.float16)
    return weights('resnet50', fc__weight=head, fc__bias=head[:, 0].contiguous())


def vggface2_network():
    """torchvision's ResNet-50 with the strides and the max-pool of Caffe."""
    model = torchvision.models.resnet50(weights=None)
    model.load_state_dict(weights('resnet50'))
    model.maxpool = nn.MaxPool2d(3, 2, 0, ceil_mode=True)
    for stage in (model.layer2, model.layer3, model.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return nn.Sequential(*list(model.children())[:-2]).eval()


@pytest.mark.parametrize('as_pickle', [True, False])
@torch.no_grad()
def test_vggface2(convert, capsys, as_pickle):
    converted = convert(numpy_pickle(vggface2()) if as_pickle else vggface2())
    assert converted['meta']['kind'] == 'vggface2'
    assert 'fc.weight (8631, 2048)' in capsys.readouterr().out
    x = torch.randn(2, 3, 65, 64)
    cfg = load_config(ROOT / 'configs/_base_/models/resnet50_vggface2.py')
    assert cfg.model.head.in_channels == 2048
    found = load({**cfg.model.backbone}, converted)(x)[-1]
    torch.testing.assert_close(found, vggface2_network()(x), **SAME)
    found = load(converted['meta']['backbone'], converted)(x)[-1]
    torch.testing.assert_close(found, vggface2_network()(x), **SAME)


def test_the_kind_can_be_given(convert):
    converted = convert(numpy_pickle(weights()), '--kind', 'resnet')
    assert converted['meta']['backbone'] == dict(type='ResNet', depth=18)
    assert_same_map(converted, 'resnet18')


@torch.no_grad()
def test_a_released_eac_model(convert):
    model = released()
    converted = convert(dict(model_state_dict=module(model.state_dict())))
    assert converted['meta']['kind'] == 'eac'
    ours = MODELS.build(load_config(EAC).model)
    ours.load_state_dict(converted['state_dict'], strict=True)
    ours.eval()
    x = torch.randn(2, 3, 64, 64)
    expected = model.fc(model.features2(model.features(x)).flatten(1))
    torch.testing.assert_close(ours(x, mode='tensor'), expected, **SAME)
    scores = torch.stack([s.pred_score for s in ours(x, mode='predict')])
    torch.testing.assert_close(scores, expected.softmax(dim=1), **SAME)


def test_a_released_eac_model_of_resnet50_is_caffe_s(convert):
    converted = convert(released('resnet50', classes=8).state_dict())
    assert converted['meta']['backbone'] == dict(type='CaffeResNet', depth=50)
    assert converted['state_dict']['head.fc.weight'].shape == (8, 2048)


# How a recipe takes the result


def runner(small_options, tmp_path, **options):
    for name in ('stem_channels', 'base_channels'):
        small_options.pop(f'model.backbone.{name}', None)
    small_options.pop('model.head.in_channels', None)
    cfg = load_config(EAC, {**small_options, **options}, str(tmp_path / 'run'))
    cfg.train_cfg.max_epochs = 1
    return build_runner(cfg)


def parse(*words):
    """What a tool makes of the words after ``--cfg-options``."""
    holder = type('Namespace', (), {'options': None})()
    DictAction(['--cfg-options'], 'options', nargs='+')(None, holder, list(words))
    return holder.options


def test_load_from(convert, tmp_path, small_options):
    converted = convert(dict(state_dict=module(weights())))
    out = tmp_path / 'out' / 'converted.pth'
    training = runner(small_options, tmp_path, **parse(f'load_from={out}'))
    training.train_loop  # noqa: B018  (builds it: this is a training)
    training.load_or_resume()
    seen = training.model.state_dict()
    for key, value in converted['state_dict'].items():
        assert torch.equal(seen[key].cpu(), value), key
    assert seen['head.fc.weight'].any()


def test_init_cfg(convert, tmp_path, small_options):
    converted = convert(weights())
    where = 'model.backbone.init_cfg'
    options = parse(
        f'{where}.type=Pretrained',
        f'{where}.checkpoint={tmp_path / "out" / "converted.pth"}',
        f'{where}.prefix=backbone.',
    )
    model = runner(small_options, tmp_path, **options).model
    model.init_weights()
    for key, value in converted['state_dict'].items():
        assert torch.equal(model.state_dict()[key].cpu(), value), key


def test_a_converted_eac_model_is_tested(convert, tmp_path, small_options):
    convert(released().state_dict())
    out = tmp_path / 'out' / 'converted.pth'
    small_options['test_dataloader.batch_size'] = 7
    testing = runner(small_options, tmp_path, **parse(f'load_from={out}'))
    assert 0 <= testing.test()['accuracy/top1'] <= 100
    assert torch.equal(testing.model.head.fc.weight.cpu(), released().fc.weight)


# What is refused


class Hostile:
    """Makes a folder when a pickle of it is loaded as usual."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_hostile_files_do_not_run(convert, tmp_path):
    victim = tmp_path / 'victim'
    arrays = {key: value.numpy() for key, value in weights().items()}
    hidden = np.array([Hostile(victim)], dtype=object)
    content = pickle.dumps({**arrays, 'x': Hostile(victim)}, 2)
    with pytest.raises(ValueError, match=rf'asks for {os.name}\.mkdir.*ever run'):
        convert(content)
    with pytest.raises(ValueError, match=r"type 'O8'.*ever run"):
        convert(pickle.dumps({**arrays, 'x': hidden}, 2))
    for old in (False, True):
        state = dict(state_dict=weights(), x=Hostile(victim))
        with pytest.raises(
            ValueError, match=rf'asks for {os.name}\.mkdir.*ever run'
        ) as e:
            convert(state, old=old)
        assert 'False' not in str(e.value)  # torch's advice to run it all the same
        with pytest.raises(ValueError, match=r'weights_only=True\).*ever run'):
            convert(dict(state_dict=weights(), x=hidden), old=old)
    assert not victim.exists()
    assert not (tmp_path / 'out').exists()
    pickle.loads(content)
    assert victim.exists()  # it was hostile


def test_a_whole_model_is_refused(convert):
    with pytest.raises(ValueError, match=r'asks for torch.*save\(model\.state_dict'):
        convert(nn.Linear(2, 2))


def test_what_is_no_weights_is_refused(convert):
    with pytest.raises(ValueError, match=r'source.pth: the file holds list'):
        convert([weights()])
    with pytest.raises(ValueError, match=r'the file holds dict'):
        convert({})
    with pytest.raises(ValueError, match=r"'conv1.weight' holds int"):
        convert(weights(conv1__weight=3))
    with pytest.raises(ValueError, match='7 holds Tensor'):
        convert({7: torch.zeros(2)})
    with pytest.raises(ValueError, match=r'conv1\.weight occurs twice'):
        convert({**weights(), 'module.conv1.weight': torch.zeros(2)})
    with pytest.raises(ValueError, match='this is not a pickle of NumPy arrays'):
        convert(b'<html>Quota exceeded</html>')
    with pytest.raises(ValueError, match='refuses the file: .*ever run'):
        convert(b'PK\x03\x04 cut off')


def test_unfilled_and_unused_weights_are_listed(convert, tmp_path):
    state = weights(conv1__weight=None, layer4__1__conv2__weight=None)
    with pytest.raises(ValueError) as error:
        convert(state)
    missing = "['backbone.conv1.weight', 'backbone.layer4.1.conv2.weight']"
    assert f'Not filled: {missing}\n' in str(error.value)

    # Squeeze-and-excitation, which the backbone would leave out
    state = weights(layer1__0__conv4__weight=torch.zeros(4), alpha__bias=torch.zeros(1))
    with pytest.raises(ValueError) as error:
        convert(state)
    assert 'Not filled: []\n' in str(error.value)
    unused = "['layer1.0.conv4.weight', 'alpha.bias']"
    assert f'Without a place: {unused}\n' in str(error.value)
    assert not (tmp_path / 'out').exists()


def test_other_shapes_and_types_are_listed(convert):
    with pytest.raises(ValueError) as error:
        convert(weights(conv1__weight=torch.zeros(32, 3, 7, 7)))
    unlike = (
        'conv1.weight (32, 3, 7, 7) float32 for backbone.conv1.weight '
        '(64, 3, 7, 7) float32'
    )
    assert f'Of another shape: [{unlike!r}]\n' in str(error.value)
    with pytest.raises(ValueError, match=r'bn1.bias \(64,\) int64 for backbone.bn1'):
        convert(weights(bn1__bias=torch.zeros(64, dtype=torch.int64)))


def test_an_eac_model_without_its_head(convert):
    state = released().state_dict()
    bias = state.pop('fc.bias')
    with pytest.raises(ValueError, match=r"Not filled: \['head.fc.bias'\]"):
        convert(state)
    del state['fc.weight']
    with pytest.raises(ValueError, match=r"\['head.fc.weight', 'head.fc.bias'\]"):
        convert(state)
    with pytest.raises(ValueError, match=r'fc.weight \(\) float32 for head.fc.weight'):
        convert({**state, 'fc.weight': torch.tensor(0.0), 'fc.bias': bias})


def test_no_key_matches(convert):
    with pytest.raises(ValueError, match='no key of the file is known'):
        convert({'backbone.conv1.weight': torch.zeros(2)})
    with pytest.raises(ValueError, match=r"no key is one of .*\['other.weight'\]"):
        convert({'other.weight': torch.zeros(2)}, '--kind', 'mobilenetv2')
    with pytest.raises(ValueError, match='are not a ResNet of MMPretrain'):
        convert({'conv1.weight': torch.zeros(2)})


def test_files_are_not_lost(convert, tmp_path, monkeypatch):
    convert(weights())
    out = tmp_path / 'out' / 'converted.pth'
    before = out.read_bytes()
    with pytest.raises(FileExistsError, match='with --force'):
        convert(weights())
    source = str(tmp_path / 'source.pth')
    with pytest.raises(FileExistsError, match='is the source'):
        tool.main([source, source, '--force'])

    def full_disk(_):
        raise OSError('No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr(os, 'fsync', full_disk)
        with pytest.raises(OSError, match='No space'):
            tool.main([source, str(out), '--force'])
    assert out.read_bytes() == before
    convert(weights('resnet50'), '--force')
    assert out.read_bytes() != before


def test_unknown_file_and_kind(tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match='missing.pth does not exist'):
        tool.main([str(tmp_path / 'missing.pth'), str(tmp_path / 'out.pth')])
    (tmp_path / 'a.pth').write_bytes(b'')
    with pytest.raises(ValueError, match=r"kind='tf' is unknown. Fix: .* auto, resnet"):
        convert_weights(tmp_path / 'a.pth', 'tf')


def test_help(capsys):
    with pytest.raises(SystemExit):
        tool.main(['-h'])
    printed = capsys.readouterr().out
    assert 'mean=[91.4953, 103.8827, 131.0912]' in printed
    assert {name: layout.about for name, layout in LAYOUTS.items()} == tool.KINDS
    assert all(f'  {name} ' in printed for name in LAYOUTS)
