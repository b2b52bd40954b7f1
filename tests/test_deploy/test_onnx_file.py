import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn import functional as F
from trained import save_checkpoint

from eac_mm.apis import load_model
from eac_mm.deploy import onnx_file
from eac_mm.deploy.onnx_file import (
    ForInference,
    largest_difference,
    normalisation,
    require_packages,
    write_onnx,
)

# A ResNet of one stage, which is quick to export.
ONE_STAGE = {
    'model.backbone.num_stages': 1,
    'model.backbone.strides': (1,),
    'model.backbone.dilations': (1,),
    'model.backbone.out_indices': (0,),
    'model.head.in_channels': 16,
}


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp('model') / 'epoch_1.pth'
    save_checkpoint(path, options=ONE_STAGE)
    return load_model(path, device='cpu').network


def test_both_inputs_are_what_the_preprocessor_makes(network):
    images = torch.randint(0, 256, (3, 48, 48, 3), dtype=torch.uint8)
    inside, outside = (ForInference(network, 2.0, inner).eval() for inner in (1, 0))
    prepared = network.data_preprocessor({'inputs': images.permute(0, 3, 1, 2)})
    with torch.no_grad():
        logits = network(prepared['inputs'], mode='tensor')
        for module, given in ((inside, images), (outside, prepared['inputs'])):
            found = module(given)
            assert torch.allclose(found[0], logits, atol=1e-4)
            expected = F.softmax(logits / 2, 1)
            assert torch.allclose(found[1], expected, atol=1e-5)


def test_normalisation(network):
    mean, std = normalisation(network)
    assert mean == pytest.approx([123.675, 116.28, 103.53])  # ImageNet's, RGB
    assert std == pytest.approx([58.395, 57.12, 57.375])


def test_a_file(network, tmp_path):
    module = ForInference(network, 1.0, True).eval()
    path = tmp_path / 'a' / 'model.onnx'
    write_onnx(module, path, 48, dict(classes=['a', 'b'], note='text'))
    model = onnx.load(str(path))
    assert {o.domain: o.version for o in model.opset_import}[''] == 18
    session = onnxruntime.InferenceSession(str(path))
    (given,) = session.get_inputs()
    assert (given.name, given.type) == ('images', 'tensor(uint8)')
    assert given.shape[1:] == [48, 48, 3] and isinstance(given.shape[0], str)
    text = session.get_modelmeta().custom_metadata_map
    assert json.loads(text['classes']) == ['a', 'b']
    assert (text['note'], text['opset']) == ('text', '18')
    # No training: neither dropout nor statistics of the batch.
    kinds = {node.op_type for node in model.graph.node}
    assert 'Dropout' not in kinds
    assert largest_difference(module, path, 48) < 1e-5
    images = np.zeros((5, 48, 48, 3), np.uint8)
    logits, _ = session.run(None, {'images': images})
    with torch.no_grad():
        module.network.head.fc.bias += 1
    try:
        assert largest_difference(module, path, 48) > 1e-3  # it can tell
    finally:
        with torch.no_grad():
            module.network.head.fc.bias -= 1
    assert np.abs(logits - logits[0]).max() < 1e-5  # equal images, whatever the batch


def test_missing_packages(monkeypatch):
    monkeypatch.setattr(onnx_file, 'PACKAGES', ('onnx', 'eac_mm_none'))
    with pytest.raises(ImportError, match=r'needs eac_mm_none. Fix: pip.*\[onnx\]'):
        require_packages()
