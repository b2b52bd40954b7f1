"""Files of dlib's face network with random weights, as dlib writes them."""

import numpy as np

from eac_mm.models import DlibFaceResNet
from eac_mm.models.backbones.dlib_face_resnet import convolutions


def integer(value):
    """A control byte, and the value's bytes."""
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (128 if value < 0 else 0)]) + abs(value).to_bytes(
        size, 'little'
    )


def tensor(values):
    """A version, four dimensions and the values."""
    values = np.asarray(values, '<f4').ravel()
    shape = [integer(n) for n in (values.size, 1, 1, 1)]
    return integer(2) + b''.join(shape) + values.tobytes()


def name(text):
    """A string with its length."""
    return integer(len(text)) + text.encode()


def random_network():
    """Random weights of the network: (filters, biases, gamma, beta) of each layer."""
    rng = np.random.default_rng(0)
    layers = []
    for conv in convolutions(DlibFaceResNet(num_stages=5)):
        out = len(conv.weight)
        scale = np.sqrt(2 / conv.weight[0].numel())
        filters = rng.normal(0, scale, conv.weight.shape).astype(np.float32)
        rest = rng.normal([[0], [1], [0]], 0.1, (3, out)).astype(np.float32)
        layers.append((filters, *rest))
    return layers


def as_file(network):
    """The bytes of a file with these layers."""
    content = name('loss_metric_2') + integer(-7)
    for filters, bias, gamma, beta in network:
        out, _, height, width = filters.shape
        content += name('con_4') + tensor([*filters.ravel(), *bias])
        content += b''.join(map(integer, (out, height, width, 2, 2, 0, 0)))
        content += name('affine_') + tensor([*gamma, *beta]) + name('relu_')
    return content
