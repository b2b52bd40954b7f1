"""Conversion as a call; test_tools/test_model_converters.py has files of all kinds."""

import hashlib

import pytest
import torch
from mmpretrain.registry import MODELS

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
