"""Write a network as an ONNX file that says how it is used."""

import importlib.util
import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

OPSET = 18
INPUT, OUTPUTS = 'images', ('logits', 'probabilities')
PACKAGES = ('onnx', 'onnxscript', 'onnxruntime')
FIX = 'Fix: pip install "eac_mm[onnx]".'


class ForInference(nn.Module):
    """A classifier from images to logits and probabilities, and nothing of training.

    Args:
        network: In evaluation mode, with MMPretrain's data preprocessor.
        temperature: Divides the logits before the softmax.
        preprocess: Whether it takes uint8 images, rather than normalised ones.

    Shape:
        - images: with ``preprocess`` uint8 (N, S, S, 3) in BGR order, else float32
          (N, 3, S, S), normalised
        - output: logits (N, L), and probabilities (N, L)
    """

    def __init__(
        self, network: nn.Module, temperature: float, preprocess: bool
    ) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature
        self.preprocess = preprocess
        mean, std = normalisation(network)
        self.register_buffer('mean', torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor(std).view(1, 3, 1, 1))
        self.to_rgb = bool(network.data_preprocessor.to_rgb)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classify a batch."""
        if self.preprocess:
            images = images.permute(0, 3, 1, 2).float()
            images = images.flip(1) if self.to_rgb else images
            images = (images - self.mean) / self.std
        logits = self.network(images, mode='tensor')
        return logits, torch.softmax(logits / self.temperature, -1)


def normalisation(network: nn.Module) -> tuple[list[float], list[float]]:
    """Return the mean and std of a network's preprocessor, 0 and 1 if it has none."""
    preprocessor = network.data_preprocessor
    if not preprocessor._enable_normalize:
        return [0.0] * 3, [1.0] * 3
    return tuple(
        values.float().flatten().expand(3).tolist()
        for values in (preprocessor.mean, preprocessor.std)
    )


def require_packages() -> None:
    """Refuse to begin without what writing and checking a file needs.

    Raises:
        ImportError: Naming what is not installed.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f'ONNX needs {", ".join(missing)}. {FIX}')


def write_onnx(
    module: ForInference, path: str | Path, size: int, metadata: Mapping[str, Any]
) -> None:
    """Write a network as an ONNX file of opset 18, for any batch size.

    Args:
        module: The network.
        path: The file.
        size: Side of the images, in pixels.
        metadata: Further entries of the file's metadata, plain values. Those that are
            not text are written as JSON.

    Raises:
        ImportError: If a package is missing.
    """
    require_packages()
    import onnx

    example = example_images(module, size, 2)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of the exporter's own deprecations
        logging.getLogger('torch.onnx').setLevel(logging.ERROR)
        program = torch.onnx.export(
            module.eval(),
            (torch.from_numpy(example),),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes=({0: torch.export.Dim('batch')},),
            verbose=False,
        )
    model = program.model_proto
    for key, value in {**metadata, 'opset': OPSET}.items():
        text = value if isinstance(value, str) else json.dumps(value)
        model.metadata_props.add(key=key, value=text)
    onnx.checker.check_model(model)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def example_images(module: ForInference, size: int, count: int) -> np.ndarray:
    """Return random images as a network takes them."""
    rng = np.random.default_rng(count)
    if module.preprocess:
        return rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    return rng.normal(0, 1, (count, 3, size, size)).astype(np.float32)


def largest_difference(module: ForInference, path: str | Path, size: int) -> float:
    """Compare an ONNX file in onnxruntime with the network in PyTorch, in float32.

    Args:
        module: The network.
        path: The file.
        size: Side of the images, in pixels.

    Returns:
        The largest difference of a logit or probability over batches of 1, 3 and 8
        random images. Logits count in parts of the largest one, if that is above 1.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider']
    )
    worst = 0.0
    for count in (1, 3, 8):
        images = example_images(module, size, count)
        found = session.run(list(OUTPUTS), {INPUT: images})
        with torch.no_grad():
            expected = module(torch.from_numpy(images))
        for one, other in zip(found, expected, strict=True):
            unit = max(1.0, float(other.abs().max()))
            worst = max(worst, float(np.abs(one - other.numpy()).max()) / unit)
    return worst
