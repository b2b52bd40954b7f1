import hashlib
import importlib.util

import numpy as np
import pytest
import torch
from dlib_files import as_file, name, random_network
from torch.nn import functional as F

from eac_mm.models import DlibFaceResNet
from eac_mm.models.backbones.dlib_face_resnet import norms
from eac_mm.weights import dlib_face
from eac_mm.weights.dlib_face import (
    build_backbone,
    convert_dlib_face,
    find_dlib_face,
    measure_statistics,
    read_layers,
    rescale,
)


@pytest.fixture(scope='module')
def network():
    return random_network()


@pytest.fixture(scope='module')
def content(network):
    return as_file(network)


def test_layers_are_read_as_they_were_written(network, content):
    layers = read_layers(content)
    assert len(layers) == 29
    for layer, (filters, bias, gamma, beta) in zip(layers, network, strict=True):
        assert np.array_equal(layer.weight.numpy(), filters)
        assert np.array_equal(layer.gamma.numpy(), gamma)
        np.testing.assert_allclose(layer.beta.numpy(), beta + gamma * bias, rtol=1e-6)


def test_the_stem_is_convolution_bias_and_affine(network, content):
    filters, bias, gamma, beta = map(torch.from_numpy, network[0])
    backbone = build_backbone(read_layers(content), num_stages=1)
    x = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    plain = F.conv2d(x, filters, bias, stride=2)
    want = gamma.view(-1, 1, 1) * plain + beta.view(-1, 1, 1)
    got = backbone.bn1(backbone.conv1(x))
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_measured_statistics_change_nothing_in_evaluation_mode(content):
    layers = read_layers(content)
    backbone = build_backbone(layers, num_stages=2)
    generator = torch.Generator().manual_seed(0)
    batches = [torch.randn(n, 3, 64, 64, generator=generator) for n in (3, 5)]
    before = backbone(batches[0])[0]
    assert measure_statistics(backbone, layers, batches) == 8
    torch.testing.assert_close(backbone(batches[0])[0], before, rtol=1e-4, atol=1e-4)
    # The first norm's by hand: over all images and pixels of the convolution.
    inputs = backbone.conv1(torch.cat(batches)).transpose(0, 1).flatten(1)
    torch.testing.assert_close(backbone.bn1.running_mean, inputs.mean(1))
    torch.testing.assert_close(
        backbone.bn1.running_var, inputs.var(1, unbiased=False), rtol=1e-4, atol=1e-5
    )


def test_training_mode_starts_where_evaluation_is(content):
    layers = read_layers(content)
    backbone = build_backbone(layers, num_stages=2)
    batch = torch.randn(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    measure_statistics(backbone, layers, [batch])
    want = backbone(batch)[0]
    got = backbone.train()(batch)[0]
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-3)


def test_converted_weights_fill_the_backbone(content, tmp_path, monkeypatch):
    path = tmp_path / 'model.dat'
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(dlib_face, 'SHA256', digest)
    converted = convert_dlib_face(path, [torch.zeros(2, 3, 64, 64)], num_stages=3)
    backbone = DlibFaceResNet(num_stages=3)
    weights = converted.state_dict
    backbone.load_state_dict({k.removeprefix('backbone.'): weights[k] for k in weights})
    assert converted.meta['source_sha256'] == digest
    wanted = dict(type='DlibFaceResNet', num_stages=3, dense=False)
    assert converted.meta['backbone'] == wanted
    assert converted.meta['statistics_images'] == 2


def test_filters_are_rescaled_and_nothing_changes(network, content):
    layers = read_layers(content)
    # sqrt(2 / 147) = 0.1166 is what the stem's filters have; 10 times smaller, the
    # nearest power of 2 is 8.
    small = dlib_face.Layer(layers[0].weight / 10, layers[0].gamma, layers[0].beta)
    rescaled = rescale(small)
    assert torch.equal(rescaled.weight, small.weight * 8)
    assert torch.equal(rescaled.gamma, small.gamma / 8)
    assert torch.equal(rescaled.beta, small.beta)
    zero = dlib_face.Layer(small.weight * 0, small.gamma, small.beta)
    assert torch.equal(rescale(zero).gamma, small.gamma)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    rest = layers[1:]
    one, other = (build_backbone([first, *rest], 1) for first in (small, rescaled))
    assert torch.equal(one(x)[0], other(x)[0])


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda c: b'', '0 convolutions and affine layers'),
        (lambda c: c[: len(c) // 2], r'the face recognition network of dlib has 29'),
        (lambda c: c[:-100], r'the file is damaged: no tensor at byte \d+.*Fix: pip'),
        (lambda c: c.replace(b'\x01\x07affine_', b'\x01\x07affinE_', 1), '57 conv'),
    ],
)
def test_damaged_files(content, damage, message):
    with pytest.raises(ValueError, match=message):
        read_layers(damage(content))


def test_layers_of_another_network(network):
    wide = [(np.repeat(network[0][0], 2, 1), *network[0][1:]), *network[1:]]
    with pytest.raises(ValueError, match=r'convolution 1 .* \(32, 6, 7, 7\)'):
        build_backbone(read_layers(as_file(wide)))


def test_another_file_is_refused(tmp_path):
    (tmp_path / 'model.dat').write_bytes(b'else')
    with pytest.raises(ValueError, match=r'SHA-256 is [0-9a-f]{64}, not 55533b28'):
        convert_dlib_face(tmp_path / 'model.dat', [])
    with pytest.raises(FileNotFoundError, match=r'does not exist. Fix: pip install'):
        convert_dlib_face(tmp_path / 'none.dat', [])


@pytest.mark.parametrize('images', [0, 1])
def test_too_few_images(content, images):
    layers = read_layers(content)
    backbone = build_backbone(layers, num_stages=1)
    with pytest.raises(ValueError, match=f'{images} images are too few.*Fix: give'):
        measure_statistics(backbone, layers, [torch.zeros(1, 3, 64, 64)] * images)
    assert not any(norm._forward_pre_hooks for norm in norms(backbone))


def test_missing_package(monkeypatch):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(FileNotFoundError, match=r'not installed. Fix: pip install'):
        find_dlib_face()


def test_the_package_is_found_without_importing_it(tmp_path, monkeypatch):
    folder = tmp_path / 'face_recognition_models'
    (folder / 'models').mkdir(parents=True)
    (folder / '__init__.py').write_text('raise ImportError("pkg_resources")')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(FileNotFoundError, match='installed without it'):
        find_dlib_face()
    (folder / dlib_face.FILE).write_bytes(b'')
    assert find_dlib_face() == folder / dlib_face.FILE


def test_parity_with_dlib():
    dlib = pytest.importorskip('dlib', reason='needs dlib-bin')
    try:
        path = find_dlib_face()
    except FileNotFoundError:
        pytest.skip('needs face-recognition-models')
    layers = read_layers(path.read_bytes())
    backbone = build_backbone(layers, num_stages=5)
    content = path.read_bytes()
    start = content.rindex(name('fc_2')) + len(name('fc_2'))
    reader = dlib_face._Reader(content, start)
    assert [reader.integer(), reader.integer()] == [128, 256]
    matrix = torch.from_numpy(reader.tensor().reshape(256, 128))
    model = dlib.face_recognition_model_v1(str(path))
    image = np.random.default_rng(0).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    mean = torch.tensor([122.782, 117.001, 104.298]).view(3, 1, 1)
    x = (torch.from_numpy(image).permute(2, 0, 1) - mean) / 256
    with torch.no_grad():
        embedding = backbone(x[None])[0].mean((2, 3)) @ matrix
    want = np.array(model.compute_face_descriptor(image))
    np.testing.assert_allclose(embedding[0].numpy(), want, atol=2e-6)
