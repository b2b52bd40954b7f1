"""dlib's face recognition network, from its file to MMPretrain's keys."""

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from eac_mm.models.backbones.dlib_face_resnet import (
    STAGES,
    DlibFaceResNet,
    convolutions,
    norms,
    set_affine,
)
from eac_mm.utils.packages import find_package_file
from eac_mm.version import __version__

from .conversion import Converted

PACKAGE = 'face_recognition_models'
FILE = 'models/dlib_face_recognition_resnet_model_v1.dat'
SHA256 = '55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30'
FIX = 'Fix: pip install "eac_mm[face-weights]".'
CONVOLUTION, AFFINE = b'\x01\x05con_4', b'\x01\x07affine_'
LAYERS = 1 + 2 * sum(blocks for _, blocks in STAGES)


@dataclass(frozen=True)
class Layer:
    """A convolution and the affine layer behind it.

    Attributes:
        weight: Filters, (out, in, height, width).
        gamma: Factor of the affine layer, (out,).
        beta: Offset of the affine layer, with the convolution's bias in it, (out,).
    """

    weight: Tensor
    gamma: Tensor
    beta: Tensor


def find_dlib_face() -> Path:
    """Find the file of the installed package ``face-recognition-models``.

    The package itself is not imported: its import needs ``pkg_resources``, which
    new versions of setuptools lack.

    Raises:
        FileNotFoundError: If the package is not installed or lacks the file.
    """
    return find_package_file(PACKAGE, FILE, 'face-recognition-models', FIX)


class _Reader:
    """dlib's integers and tensors, one after another."""

    def __init__(self, content: bytes, position: int) -> None:
        self.content, self.position = content, position

    def integer(self) -> int:
        """A control byte (its low four bits: how many bytes), then the bytes."""
        control = self.content[self.position]
        end = self.position + 1 + (control & 15)
        value = int.from_bytes(self.content[self.position + 1 : end], 'little')
        self.position = end
        return -value if control & 128 else value

    def tensor(self) -> np.ndarray:
        """A version, four dimensions and float32 values; returned flat."""
        version, *shape = (self.integer() for _ in range(5))
        size = int(np.prod(shape))
        end = self.position + 4 * size
        if version != 2 or size < 1 or end > len(self.content):
            raise ValueError(f'no tensor at byte {self.position}')
        values = np.frombuffer(self.content[self.position : end], '<f4')
        self.position = end
        return values.astype(np.float32)


def read_layers(content: bytes) -> list[Layer]:
    """Read the convolutions and affine layers of a dlib network.

    Nothing in the file is run: it is searched for the names of these layers, and
    the numbers behind them are read.

    Args:
        content: The bytes of the file.

    Returns:
        The layers, the one at the input first.

    Raises:
        ValueError: If the file is not that of the face recognition network.
    """
    pattern = b'|'.join(map(re.escape, (CONVOLUTION, AFFINE)))
    tags = [(m.end(), m.group()) for m in re.finditer(pattern, content)]
    if [tag for _, tag in tags] != [CONVOLUTION, AFFINE] * LAYERS:
        raise ValueError(
            f'the file has {len(tags)} convolutions and affine layers; the face '
            f'recognition network of dlib has {LAYERS} of each, in turn. {FIX}'
        )
    layers = []
    for (start, _), (affine, _) in zip(tags[::2], tags[1::2], strict=True):
        try:
            layers.append(_read_layer(content, start, affine))
        except (ValueError, IndexError) as error:
            raise ValueError(f'the file is damaged: {error}. {FIX}') from error
    return layers


def _read_layer(content: bytes, start: int, affine: int) -> Layer:
    reader = _Reader(content, start)
    values = reader.tensor()
    out, height, width = (reader.integer() for _ in range(3))
    if (
        out < 1
        or height < 1
        or width < 1
        or (len(values) - out) % (out * height * width)
    ):
        raise ValueError(f'{len(values)} values at byte {start} are no {out} filters')
    weight, bias = values[:-out].reshape(out, -1, height, width), values[-out:]
    gamma, beta = _Reader(content, affine).tensor().reshape(2, -1)
    if len(gamma) != out:
        raise ValueError(f'{len(gamma)} affine channels at byte {affine}, not {out}')
    tensors = (weight, gamma, beta + gamma * bias)
    return Layer(*(torch.from_numpy(np.ascontiguousarray(x)) for x in tensors))


def rescale(layer: Layer) -> Layer:
    """Give the filters of a layer the size that new ones have, and undo it behind them.

    dlib's filters are 10 to 70 times smaller than He's initialisation. BatchNorm
    makes up for it, but Adam does not: it changes every weight by about the learning
    rate, so that a single step would change half of a small filter. The factor is a
    power of 2, which leaves what the network computes the same to the bit.

    Args:
        layer: A layer from :func:`read_layers`.
    """
    size = layer.weight.square().mean().sqrt().item()
    wanted = math.sqrt(2 / layer.weight[0].numel())
    factor = 2.0 ** round(math.log2(wanted / size)) if size else 1.0
    return Layer(layer.weight * factor, layer.gamma / factor, layer.beta)


def build_backbone(
    layers: list[Layer], num_stages: int = 4, dense: bool = False
) -> DlibFaceResNet:
    """Build the backbone that computes in evaluation mode what dlib does.

    Its BatchNorm has mean 0 and variance 1: see :func:`measure_statistics`.

    Args:
        layers: From :func:`read_layers`.
        num_stages: How many stages to build, 1 to 5. Defaults to 4.
        dense: See :class:`~eac_mm.models.DlibFaceResNet`. Defaults to False.

    Raises:
        ValueError: If a layer has another shape than the network's.
    """
    backbone = DlibFaceResNet(num_stages, dense).eval()
    places = zip(convolutions(backbone), norms(backbone), layers, strict=False)
    for number, (conv, norm, layer) in enumerate(places, start=1):
        if conv.weight.shape != layer.weight.shape:
            raise ValueError(
                f'convolution {number} has the shape {tuple(layer.weight.shape)}; the '
                f'network has {tuple(conv.weight.shape)}. {FIX}'
            )
        conv.weight.data.copy_(layer.weight)
        set_affine(norm, layer.gamma, layer.beta)
    return backbone


@torch.no_grad()
def measure_statistics(
    backbone: DlibFaceResNet, layers: list[Layer], batches: Iterable[Tensor]
) -> int:
    """Measure the running statistics of BatchNorm on images.

    What the backbone computes in evaluation mode stays the same. In training mode
    it starts close to that if the images are those of the training.

    Args:
        backbone: From :func:`build_backbone`, changed in place.
        layers: Those it was built from.
        batches: Normalised images, each (N, 3, H, W).

    Returns:
        Number of images.

    Raises:
        ValueError: If there are fewer than two images.
    """
    sums = {
        norm: torch.zeros(3, norm.num_features).double() for norm in norms(backbone)
    }

    def add(norm: torch.nn.Module, inputs: tuple[Tensor]) -> None:
        x = inputs[0].transpose(0, 1).flatten(1).double()
        count = torch.full((len(x),), x.shape[1], dtype=torch.float64)
        sums[norm] += torch.stack([count, x.sum(1), x.square().sum(1)])

    hooks = [norm.register_forward_pre_hook(add) for norm in sums]
    images = 0
    try:
        for batch in batches:
            backbone(batch)
            images += len(batch)
    finally:
        for hook in hooks:
            hook.remove()
    if images < 2:
        raise ValueError(
            f'{images} images are too few to measure BatchNorm on. Fix: give a folder '
            'of training images, some hundred or more.'
        )
    for (norm, (count, total, squares)), layer in zip(
        sums.items(), layers, strict=False
    ):
        mean = total / count
        norm.running_mean.copy_(mean)
        norm.running_var.copy_((squares / count - mean.square()).clamp(min=0))
        set_affine(norm, layer.gamma, layer.beta)
    return images


def convert_dlib_face(
    source: str | Path,
    batches: Iterable[Tensor],
    num_stages: int = 4,
    dense: bool = False,
) -> Converted:
    """Convert dlib's file to weights of :class:`~eac_mm.models.DlibFaceResNet`.

    Args:
        source: ``dlib_face_recognition_resnet_model_v1.dat``; see
            :func:`find_dlib_face`.
        batches: Training images for the running statistics, each (N, 3, H, W): RGB,
            less (122.782, 117.001, 104.298), divided by 256.
        num_stages: How many stages to convert. Defaults to 4.
        dense: Measure on the denser map. The weights are the same. Defaults to False.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is another file, or there are too few images.
    """
    source = Path(source)
    if not source.is_file():
        raise FileNotFoundError(f'{source} does not exist. {FIX}')
    content = source.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise ValueError(
            f'{source} is not the file of face-recognition-models 0.3.0: its SHA-256 '
            f'is {digest}, not {SHA256}. {FIX}'
        )
    layers = [rescale(layer) for layer in read_layers(content)]
    backbone = build_backbone(layers, num_stages, dense)
    images = measure_statistics(backbone, layers, batches)
    meta = dict(
        source=source.name,
        source_sha256=digest,
        kind='dlib-face',
        backbone=dict(type='DlibFaceResNet', num_stages=num_stages, dense=dense),
        statistics_images=images,
        eac_mm_version=__version__,
    )
    state = {f'backbone.{key}': value for key, value in backbone.state_dict().items()}
    return Converted(state, meta, {'fc': (256, 128)})
