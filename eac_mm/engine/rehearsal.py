"""Rehearse one training step on a copy of the model."""

import contextlib
import copy
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModel, revert_sync_batchnorm
from torch import Tensor, nn
from torch.utils.data import DataLoader

from eac_mm.datasets.transforms import SeedAugmentation
from eac_mm.datasets.wrappers import transforms_of

# Enough for the statistics of a batch, where a single sample has none.
FEWEST, MOST = 2, 4


@contextlib.contextmanager
def kept_randomness(device: torch.device) -> Iterator[None]:
    """Leave the generators of Python, NumPy and PyTorch as they were.

    Args:
        device: Where the network is; a GPU's generator is kept too.
    """
    python, numpy = random.getstate(), np.random.get_state()
    gpus = [device] if device.type == 'cuda' else []
    try:
        with torch.random.fork_rng(gpus):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def real_batch(loader: DataLoader, seed: int, epoch: int) -> Any:
    """Collate a few real samples as a loader does, whatever its sampler and workers.

    Args:
        loader: The loader; neither it nor its data set changes.
        seed: Seed of the training, for :class:`SeedAugmentation`.
        epoch: The epoch that is augmented for.
    """
    dataset = loader.dataset
    size = min(max(loader.batch_size or MOST, FEWEST), MOST)
    # The last one too: its index is the largest that a bank of samples must hold.
    indices = np.linspace(0, len(dataset) - 1, size).astype(int).tolist()
    seeding = [(t, t.seed_epoch) for t in transforms_of(dataset, SeedAugmentation)]
    try:
        for transform, _ in seeding:
            transform.set_epoch(seed, epoch)
        few = DataLoader(
            dataset, batch_size=size, sampler=indices, collate_fn=loader.collate_fn
        )
        return next(iter(few))
    finally:
        for transform, state in seeding:
            transform.set_epoch(*state)


def rehearse(model: BaseModel, batch: Any, precision: Any = None) -> None:
    """Compute a model's losses on a batch, and leave no trace of it.

    The losses are computed on a deep copy, as MMEngine's ``EMAHook`` makes one. So
    parameters, gradients, running statistics, buffers and attributes of the model stay
    as they are, whatever its ``loss`` does with them. The random generators are the
    caller's to keep: see :func:`kept_randomness`.

    In training with several processes, each process rehearses by itself:
    ``SyncBatchNorm`` becomes plain batch normalisation in the copy. Collective
    operations of the ``loss`` itself work, since all processes rehearse alike.

    Args:
        model: The model, without the wrapper of several processes.
        batch: What the loader gives.
        precision: A context to compute in, such as the optimiser wrapper's. Defaults to
            none.

    Raises:
        ValueError: If the losses cannot be computed, or nothing can learn from them:
            which module failed, on what, and how to fix it.
        CopyError: If the model cannot be copied.
    """
    try:
        copied = revert_sync_batchnorm(copy.deepcopy(model))
    except Exception as error:
        raise CopyError(f'{type(model).__name__} cannot be copied: {error}') from error
    copied.train()
    trace = Trace(copied)
    data = batch
    try:
        with torch.enable_grad(), precision or contextlib.nullcontext():
            data = copied.data_preprocessor(batch, True)
            words = data if isinstance(data, dict) else {}
            args = () if isinstance(data, dict) else data
            losses = copied(*args, **words, mode='loss')
            total, _ = copied.parse_losses(losses)
    except (MemoryError, torch.cuda.OutOfMemoryError):
        raise
    except Exception as error:
        inputs = data.get('inputs') if isinstance(data, dict) else None
        raise ValueError(explain(error, copied, inputs, trace)) from error
    if not isinstance(total, Tensor) or not total.requires_grad:
        raise ValueError(
            f'{type(model).__name__} returns the losses {list(losses)}, and no '
            'parameter learns from them. Fix: return a dict of tensors whose names '
            'hold "loss", and do not freeze the whole network.'
        )


class CopyError(TypeError):
    """The model cannot be copied, so that nothing can be rehearsed."""


class Trace:
    """Record which modules of a model have begun a forward pass and not ended it.

    Attributes:
        running: Name, module and inputs of each, the innermost last.
    """

    def __init__(self, model: nn.Module) -> None:
        self.running: list[tuple[str, nn.Module, tuple]] = []
        for name, module in model.named_modules():
            module.register_forward_pre_hook(partial(self._begin, name))
            module.register_forward_hook(self._end)

    def _begin(self, name: str, module: nn.Module, inputs: tuple) -> None:
        self.running.append((name, module, inputs))

    def _end(self, *_: Any) -> None:
        self.running.pop()


def explain(error: Exception, model: nn.Module, inputs: Any, trace: Trace) -> str:
    """Say on what a model failed, in which module, and how to fix it."""
    parts = [getattr(model, name, None) for name in ('backbone', 'head')]
    network = [type(part).__name__ for part in parts if part is not None]
    network = f' ({", ".join(network)})' if network else ''
    subject = f'{type(model).__name__}{network} cannot train on {images_of(inputs)}'
    if 'Fix:' in str(error):
        return f'{subject}: {error}'
    reason = f'{type(error).__name__}: {error}'
    name, module, given = trace.running[-1] if trace.running else ('', model, ())
    shape = tuple(given[0].shape) if given and isinstance(given[0], Tensor) else None
    where = f'{name or "the model"}, {type(module).__name__},'
    on = f' fails on {shape}' if shape else ' fails'
    return f'{subject}: {where}{on} ({reason}). Fix: {fix(name, module, shape, inputs)}'


def images_of(inputs: Any) -> str:
    """Describe a batch of images, or of views."""
    if isinstance(inputs, Tensor) and inputs.dim() == 4:
        return f'images of {inputs.shape[-2]} x {inputs.shape[-1]}'
    if isinstance(inputs, list | tuple) and inputs and isinstance(inputs[0], Tensor):
        height, width = inputs[0].shape[-2:]
        return f'{len(inputs)} views of {height} x {width}'
    return 'its batch'


def fix(name: str, module: nn.Module, shape: tuple | None, inputs: Any) -> str:
    """Say what to change so that a module takes what it is given."""
    in_backbone = 'backbone' in name
    if name.startswith('data_preprocessor'):
        return (
            'end the training pipeline with what it takes, such as '
            'dict(type="PackInputs"), or set another model.data_preprocessor.type.'
        )
    if in_backbone and getattr(module, 'num_classes', -1) > 0:  # VGG, AlexNet
        return f'leave num_classes out of model.{name}: the head classifies.'
    if isinstance(inputs, list | tuple) and shape is None and in_backbone:
        return (
            'this model takes single images, and the training pipeline gives views: '
            'pipeline=_base_.train_pipeline in the recipe, or a model.type for pairs.'
        )
    if isinstance(module, nn.Linear) and shape and shape[-1] != module.in_features:
        if in_backbone:
            return (
                'leave num_classes out of model.backbone, or Resize to the scale that '
                'the backbone is made for.'
            )
        if name.startswith('head.'):
            return f'--cfg-options model.head.in_channels={shape[-1]}'
        return f'give {name} {shape[-1]} inputs.'
    if isinstance(module, nn.Conv2d) and shape and shape[1] != module.in_channels:
        return f'give {name} {shape[1]} input channels, or {module.in_channels} to it.'
    if in_backbone:
        return 'Resize to a larger scale in the pipelines.'
    return f'change the options of {name or "the model"} so that it takes its input.'
