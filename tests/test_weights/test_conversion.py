"""Conversion as a call; test_tools/test_model_converters.py has files of all kinds."""

import hashlib
import sys

import pytest
import torch
from mmpretrain.registry import MODELS
from safetensors.torch import save_file

from eac_mm.version import __version__
from eac_mm.weights import convert_file, convert_weights


@pytest.fixture
def mobilenet(tmp_path):
    """A file with torchvision's names, and the weights under MMPretrain's."""
    import torchvision

    torch.manual_seed(0)
    state = torchvision.models.mobilenet_v2(weights=None).state_dict()
    path = tmp_path / 'mobilenet.pth'
    torch.save(state, path)
    return path, state


def test_all_weights_keep_their_values(mobilenet):
    path, state = mobilenet
    converted = convert_weights(path)
    assert converted.meta == dict(
        source='mobilenet.pth',
        source_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        kind='mobilenetv2',
        backbone=dict(type='MobileNetV2'),
        eac_mm_version=__version__,
    )
    assert converted.dropped == {
        'classifier.1.weight': (1000, 1280),
        'classifier.1.bias': (1000,),
    }
    wanted = MODELS.build(dict(type='MobileNetV2')).state_dict()
    assert list(converted.state_dict) == [f'backbone.{key}' for key in wanted]
    first = converted.state_dict['backbone.conv1.conv.weight']
    assert torch.equal(first, state['features.0.0.weight'])
    total = sum(float(value.sum()) for value in converted.state_dict.values())
    body = [value for key, value in state.items() if not key.startswith('classifier')]
    assert total == pytest.approx(sum(float(value.sum()) for value in body), rel=1e-4)


def test_the_file_holds_what_is_returned(mobilenet, tmp_path):
    out = tmp_path / 'new' / 'out.pth'
    converted = convert_file(mobilenet[0], out)
    saved = torch.load(out, weights_only=True)
    assert saved['meta'] == converted.meta
    assert saved['state_dict'].keys() == converted.state_dict.keys()


@pytest.mark.parametrize('wrapper', ['model', 'net', 'state_dict'])
def test_weights_under_another_name(mobilenet, tmp_path, wrapper):
    torch.save({wrapper: mobilenet[1], 'epoch': 3}, tmp_path / 'wrapped.pth')
    expected = convert_weights(mobilenet[0]).state_dict
    found = convert_weights(tmp_path / 'wrapped.pth').state_dict
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_safetensors(mobilenet, tmp_path, monkeypatch):
    path = tmp_path / 'model.safetensors'
    save_file(mobilenet[1], path)
    expected = convert_weights(mobilenet[0])
    found = convert_weights(path)
    assert found.meta['kind'] == expected.meta['kind']
    assert all(
        torch.equal(found.state_dict[key], value)
        for key, value in expected.state_dict.items()
    )
    cut = tmp_path / 'cut.safetensors'
    cut.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match='cut.safetensors: .* is damaged .*Fix: get'):
        convert_weights(cut)
    monkeypatch.setitem(sys.modules, 'safetensors', None)
    with pytest.raises(ValueError, match='Fix: pip install safetensors'):
        convert_weights(path)


def test_existing_files_are_kept(mobilenet, tmp_path):
    source, _ = mobilenet
    out = tmp_path / 'out.pth'
    out.write_bytes(b'mine')
    with pytest.raises(FileExistsError, match=r'out.pth exists.*Fix: .*--force'):
        convert_file(source, out)
    with pytest.raises(FileExistsError, match='is the source. Fix: choose another'):
        convert_file(source, source, force=True)
    with pytest.raises(ValueError, match="kind='tf'"):
        convert_file(source, out, 'tf', force=True)
    assert out.read_bytes() == b'mine'
    convert_file(source, out, force=True)
    assert torch.load(out, weights_only=True)['meta']['kind'] == 'mobilenetv2'
