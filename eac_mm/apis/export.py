"""Export a trained network to ONNX, and check that it computes the same."""

import time
from collections.abc import Callable
from pathlib import Path

import torch

from eac_mm.deploy.onnx_file import (
    INPUT,
    ForInference,
    example_images,
    largest_difference,
    normalisation,
    write_onnx,
)
from eac_mm.version import __version__

from .trained_model import TrainedModel

TOLERANCE = 1e-5


def export_onnx(
    model: TrainedModel,
    path: str | Path,
    preprocess: bool = True,
    temperature: float | None = None,
) -> float:
    """Write a network as an ONNX file that needs neither this package nor PyTorch.

    Its metadata say all that is needed to use it: ``classes``, ``size``, ``input``
    (what the images look like), ``mean``, ``std`` and ``channels`` of a normalised
    input, ``template`` (where faces lie), ``temperature``, ``opset`` and ``eac_mm``
    (the version).

    Args:
        model: From :func:`~eac_mm.apis.load_model`; it is moved to the CPU.
        path: The file, ``.onnx``.
        preprocess: Whether the file normalises by itself and takes uint8 images (N, S,
            S, 3) in BGR order, as OpenCV reads them. Without it, float32 (N, 3, S, S),
            normalised. Defaults to True.
        temperature: Divides the logits before the softmax. Defaults to None: the
            checkpoint's.

    Returns:
        The largest difference between onnxruntime and PyTorch, both in float32.

    Raises:
        ImportError: If a package is missing.
        ValueError: If the name does not end in ``.onnx``, or the difference is 1e-5 or
            more; the file is then removed.
    """
    path = Path(path)
    if path.suffix != '.onnx':
        raise ValueError(f'{path}: not an .onnx file. Fix: choose such a name.')
    temperature = temperature or model.temperature
    module = ForInference(model.network.cpu(), temperature, preprocess).eval()
    mean, std = normalisation(model.network)
    shape = f'uint8 (N, {model.size}, {model.size}, 3) BGR'
    metadata = dict(
        classes=list(model.classes),
        size=model.size,
        input=shape if preprocess else f'float32 (N, 3, {model.size}, {model.size})',
        channels='RGB' if module.to_rgb else 'BGR',
        mean=mean,
        std=std,
        template=model.template.to_dict(),
        temperature=temperature,
        eac_mm=__version__,
    )
    write_onnx(module, path, model.size, metadata)
    difference = largest_difference(module, path, model.size)
    if not difference < TOLERANCE:
        path.unlink()
        raise ValueError(
            f'onnxruntime and PyTorch differ by {difference:.1e}, and less than '
            f'{TOLERANCE:.0e} is allowed: {path} was removed. Fix: report the network '
            'and the versions of torch, onnx and onnxruntime.'
        )
    return difference


def compare_speed(
    model: TrainedModel, path: str | Path, preprocess: bool = True, threads: int = 1
) -> dict[int, tuple[float, float]]:
    """Measure images a second of PyTorch and of onnxruntime on the CPU, in float32.

    Args:
        model: The network.
        path: Its ONNX file.
        preprocess: As it was exported.
        threads: Of either. Defaults to 1.

    Returns:
        For batches of 1 and 32: PyTorch's images a second, and onnxruntime's.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        str(path), options, providers=['CPUExecutionProvider']
    )
    module = ForInference(model.network.cpu(), model.temperature, preprocess).eval()
    before, found = torch.get_num_threads(), {}
    torch.set_num_threads(threads)
    try:
        for count in (1, 32):
            images = example_images(module, model.size, count)
            tensor = torch.from_numpy(images)
            with torch.inference_mode():
                ours = _seconds(lambda tensor=tensor: module(tensor))
            theirs = _seconds(lambda images=images: session.run(None, {INPUT: images}))
            found[count] = count / ours, count / theirs
    finally:
        torch.set_num_threads(before)
    return found


def _seconds(call: Callable[[], object], times: int = 15) -> float:
    """Return the shortest time of a call, which other processes disturb least."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return min(taken)
