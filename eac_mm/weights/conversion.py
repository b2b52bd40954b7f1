"""Convert a file of another project to weights with MMPretrain's keys."""

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmpretrain.registry import MODELS
from torch import Tensor

from eac_mm.models import CaffeResNet  # noqa: F401  (registers it)
from eac_mm.utils.checkpoints import WRAPPERS, format_of, weights_in
from eac_mm.utils.files import write_atomically
from eac_mm.version import __version__

from .layouts import LAYOUTS, Layout, detect
from .numpy_pickle import read_numpy_pickle

UNTRUSTED = (
    'Nothing in a file is ever run. Fix: get the file from its authors, or have its '
    'owner save the weights alone: torch.save(model.state_dict(), path).'
)


@dataclass(frozen=True)
class Converted:
    """Hold weights with MMPretrain's keys.

    Args:
        state_dict: Weights named ``backbone....``, and ``head.fc....`` if kept.
        meta: ``source``, ``source_sha256``, ``kind``, ``backbone`` (its config) and
            ``eac_mm_version``.
        dropped: Shapes of the weights of the source's head, which was left out.
    """

    state_dict: dict[str, Tensor]
    meta: dict[str, Any]
    dropped: dict[str, tuple[int, ...]]


def convert_weights(source: str | Path, kind: str = 'auto') -> Converted:
    """Read a file of another project and give its weights MMPretrain's keys.

    Args:
        source: A file of ``torch.save`` or safetensors, or a pickle of NumPy arrays. It
            need not be trusted: nothing in it is run.
        kind: A name of :data:`LAYOUTS`, or ``'auto'``.

    Returns:
        Weights that fill the backbone, each of its shape and type.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: For an unknown kind, a file that holds more than weights, or
            weights that do not fill the backbone exactly.
    """
    source = Path(source)
    if not source.is_file():
        raise FileNotFoundError(
            f'{source} does not exist (seen from {Path.cwd()}). Fix: correct the path.'
        )
    if kind != 'auto' and kind not in LAYOUTS:
        raise ValueError(
            f'kind={kind!r} is unknown. Fix: choose from auto, {", ".join(LAYOUTS)}.'
        )
    content = source.read_bytes()
    try:
        weights, numpy_pickle = read_weights(content)
        shapes = {key: tuple(value.shape) for key, value in weights.items()}
        kind = detect(shapes, numpy_pickle) if kind == 'auto' else kind
        layout = LAYOUTS[kind]
        heads = [key for key in weights if key.startswith(layout.heads)]
        backbone, state_dict = fill(
            layout, {key: v for key, v in weights.items() if key not in heads}
        )
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    meta = dict(
        source=source.name,
        source_sha256=hashlib.sha256(content).hexdigest(),
        kind=kind,
        backbone=backbone,
        eac_mm_version=__version__,
    )
    return Converted(state_dict, meta, {key: shapes[key] for key in heads})


def convert_file(
    source: str | Path, out: str | Path, kind: str = 'auto', force: bool = False
) -> Converted:
    """Convert a file to one that ``load_from`` takes.

    Args:
        source: See :func:`convert_weights`.
        out: The file to write.
        kind: A name of :data:`LAYOUTS`, or ``'auto'``.
        force: Replace ``out`` if it exists.

    Raises:
        FileExistsError: If ``out`` exists and ``force`` is not given, or is the
            source.
        FileNotFoundError: If there is no source.
        ValueError: See :func:`convert_weights`.
    """
    source, out = Path(source), Path(out)
    if out.exists() and source.exists() and out.samefile(source):
        raise FileExistsError(f'{out} is the source. Fix: choose another name.')
    refuse_existing(out, force)
    converted = convert_weights(source, kind)
    save(converted, out)
    return converted


def refuse_existing(out: Path, force: bool) -> None:
    """Keep a file that exists, unless ``force`` is given.

    Raises:
        FileExistsError: If it exists and ``force`` is not given.
    """
    if out.exists() and not force:
        raise FileExistsError(
            f'{out} exists; runs may depend on it. Fix: choose another name, or '
            'replace it with --force.'
        )


def save(converted: Converted, out: str | Path) -> None:
    """Write weights to a file that ``load_from`` takes, atomically."""
    content = io.BytesIO()
    torch.save(dict(state_dict=converted.state_dict, meta=converted.meta), content)
    write_atomically(out, content.getvalue())


def read_weights(content: bytes) -> tuple[dict[str, Tensor], bool]:
    """Read a state dict; take off its wrapper and ``module.`` before its keys.

    Args:
        content: The bytes of the file.

    Returns:
        The weights, and whether the file is a pickle of NumPy arrays.

    Raises:
        ValueError: If it holds anything else.
    """
    written_by = format_of(content[:32])
    if written_by == 'safetensors':
        state = _read_safetensors(content)
    elif written_by:
        state = _read_torch(content)
    else:
        try:
            state = read_numpy_pickle(content)
        except ValueError as error:
            raise ValueError(f'{error}. {UNTRUSTED}') from error
    state = weights_in(state)
    if not isinstance(state, dict) or not state:
        raise ValueError(
            f'the file holds {type(state).__name__} {str(state)[:40]!r}; expected a '
            f'dict of weights, or one in a dict under {" or ".join(WRAPPERS)}. '
            'Fix: save model.state_dict().'
        )
    weights: dict[str, Tensor] = {}
    for key, value in state.items():
        if isinstance(value, np.ndarray):
            value = torch.from_numpy(value)
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise ValueError(
                f'{key!r} holds {type(value).__name__}; only names with tensors or '
                'arrays are allowed. Fix: save model.state_dict() alone.'
            )
        name = key.removeprefix('module.')
        if name in weights:
            raise ValueError(
                f'{name} occurs twice, with and without "module.". Fix: remove one.'
            )
        weights[name] = value.detach()
    return weights, written_by is None


def _read_torch(content: bytes) -> Any:
    try:
        return torch.load(io.BytesIO(content), map_location='cpu', weights_only=True)
    except Exception as error:  # a malformed file raises nearly anything
        # torch's message recommends loading the file unsafely; the error that it
        # replaces says what went wrong.
        reason = str(error.__context__ or error) or type(error).__name__
        name = re.search(r'GLOBAL (\S+)', reason)
        reason = f'it asks for {name[1]}' if name else reason.splitlines()[0]
        raise ValueError(
            f'torch.load(weights_only=True) refuses the file: {reason}. {UNTRUSTED}'
        ) from error


def _read_safetensors(content: bytes) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError as error:
        raise ValueError(
            'it is a safetensors file, and the package that reads these is not '
            'installed. Fix: pip install safetensors'
        ) from error
    try:
        return load(content)
    except SafetensorError as error:
        raise ValueError(
            f'the safetensors file is damaged ({error}). Fix: get it anew.'
        ) from error


def fill(
    layout: Layout, weights: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Fill the backbone, and the head if the layout keeps it.

    ``num_batches_tracked``, which files older than torch 0.4.1 lack, becomes 0.

    Args:
        layout: How the weights are named.
        weights: All weights of the source that are used.

    Returns:
        The config of the backbone, and the weights in its order.

    Raises:
        ValueError: Lists every key of the backbone that is not filled, every one of
            another shape, and every weight without a place.
    """
    sources = {layout.rename(key): key for key in weights}
    sources.pop(None, None)
    if not sources:
        raise ValueError(
            f'no key is one of {layout.about}, such as {layout.example}; it holds '
            f'{list(weights)}. Fix: give another kind ({", ".join(LAYOUTS)}).'
        )
    backbone = layout.backbone(sources)
    wanted = _wanted(backbone, weights.get(sources.get('head.fc.weight')), layout)
    filled, missing, unlike = {}, [], []
    for key, place in wanted.items():
        if key in sources:
            value = weights[sources[key]]
            if value.shape != place.shape or (
                value.is_floating_point() != place.is_floating_point()
            ):
                unlike.append(f'{sources[key]} {_kind(value)} for {key} {_kind(place)}')
            # A copy: a view would save all of the tensor that it looks into.
            filled[key] = value.to(place.dtype).clone().contiguous()
        elif key.endswith('.num_batches_tracked'):
            filled[key] = torch.zeros_like(place)
        else:
            missing.append(key)
    used = {sources[key] for key in filled if key in sources}
    unused = [key for key in weights if key not in used]
    if missing or unlike or unused:
        raise ValueError(
            f'the weights are not those of {layout.about}, {backbone}.\n'
            f'Not filled: {missing}\nOf another shape: {unlike}\n'
            f'Without a place: {unused}\nFix: give the whole file of such a network, '
            f'or another kind ({", ".join(LAYOUTS)}).'
        )
    return backbone, filled


def _wanted(
    backbone: dict[str, Any], head: Tensor | None, layout: Layout
) -> dict[str, Tensor]:
    """Return the weights of the model to fill."""
    module = MODELS.build(backbone)
    wanted = {f'backbone.{key}': value for key, value in module.state_dict().items()}
    if layout.rename('fc.weight') == 'head.fc.weight':
        classes = 1 if head is None or not head.dim() else len(head)
        wanted['head.fc.weight'] = torch.empty(classes, module.feat_dim)
        wanted['head.fc.bias'] = torch.empty(classes)
    return wanted


def _kind(value: Tensor) -> str:
    return f'{tuple(value.shape)} {str(value.dtype).removeprefix("torch.")}'
