"""Validate and test in the precision of the training."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS, OPTIM_WRAPPERS

from ..optimizers.bfloat16 import (
    BFloat16OptimWrapper,
    autocast,
    usable_precision,
    why_precision,
)

PRECISIONS = ('float32', 'bfloat16', 'float16')


@HOOKS.register_module()
class PrecisionHook(Hook):
    """Validate and test in the precision of the training.

    In training that is the precision of the optimiser wrapper. Checkpoints keep it,
    as ``meta['precision']``, so that testing one gives the figure of its
    validation; for a checkpoint that does not say, the config's optimiser wrapper
    decides. A CPU that only emulates the precision runs in float32. The log says once,
    at the start of a training or test, which precision it runs in, and why.

    Everything that predicts through the model's ``val_step`` and ``test_step`` has
    this precision.

    Args:
        dtype: Validate and test in this precision instead: ``'float32'``,
            ``'bfloat16'`` or ``'float16'``. Defaults to None.

    Raises:
        ValueError: If ``dtype`` is unknown.
    """

    priority = 'VERY_HIGH'

    def __init__(self, dtype: str | None = None) -> None:
        if dtype not in (None, *PRECISIONS):
            raise ValueError(
                f'PrecisionHook: dtype={dtype!r} is unknown. Fix: choose one of '
                f'{PRECISIONS}, or None for that of the training.'
            )
        self.dtype = dtype
        self._loaded: str | None = None
        self._model = None

    def before_run(self, runner: Runner) -> None:
        """Let the model's evaluation steps run in the precision."""
        if runner.model is self._model:  # trained before, and now tested
            return
        self._model = runner.model
        for name in ('val_step', 'test_step'):
            # As MMEngine replaces a step by its compiled version.
            setattr(runner.model, name, self._wrap(runner, getattr(runner.model, name)))

    def _wrap(self, runner: Runner, step: Callable) -> Callable:
        @wraps(step)
        def in_precision(*args, **kwargs) -> Any:
            with autocast(self.precision(runner), _device(runner)):
                return step(*args, **kwargs)

        return in_precision

    def precision(self, runner: Runner) -> str:
        """Return the precision to validate and test in."""
        wrapper = runner.optim_wrapper
        if self.dtype is not None:
            return self.dtype
        if self._loaded is None or isinstance(wrapper, OptimWrapper):  # it trains
            return precision_of(wrapper)
        return self._loaded

    def before_train(self, runner: Runner) -> None:
        """Log the precision of training and validation."""
        device = _device(runner)
        training = why_precision(precision_of(runner.optim_wrapper), device)
        validation = why_precision(self.precision(runner), device)
        if runner.val_loop is None:
            runner.logger.info(f'Training in {training}')
        elif validation == training:
            runner.logger.info(f'Training and validation in {training}')
        else:
            runner.logger.info(f'Training in {training}; validation in {validation}')

    def before_test(self, runner: Runner) -> None:
        """Log the precision of the test."""
        why = why_precision(self.precision(runner), _device(runner))
        runner.logger.info(f'Testing in {why}')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the precision that the training runs in."""
        checkpoint['meta']['precision'] = training_precision(runner)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Read the precision that the checkpoint was trained in."""
        meta = checkpoint.get('meta')
        precision = meta.get('precision') if isinstance(meta, dict) else None
        self._loaded = precision if precision in PRECISIONS else None


def _device(runner: Runner) -> str:
    return next(runner.model.parameters()).device.type


def training_precision(runner: Runner) -> str:
    """Return the precision that a runner's training steps really run in.

    That is the optimiser wrapper's, or ``'float32'`` on a CPU that only emulates it.
    """
    return usable_precision(precision_of(runner.optim_wrapper), _device(runner))


def precision_of(wrapper: OptimWrapper | dict | None) -> str:
    """Return the precision of an optimiser wrapper's forward passes.

    Args:
        wrapper: The wrapper, or its config, or None for float32.
    """
    if isinstance(wrapper, dict):
        kind, dtype = wrapper.get('type', OptimWrapper), wrapper.get('dtype')
        kind = OPTIM_WRAPPERS.get(kind) if isinstance(kind, str) else kind
    else:
        kind, dtype = type(wrapper), getattr(wrapper, 'cast_dtype', None)
    if not isinstance(kind, type):
        return 'float32'
    if issubclass(kind, BFloat16OptimWrapper):
        return 'bfloat16'
    if issubclass(kind, AmpOptimWrapper):
        return str(dtype or torch.float16).removeprefix('torch.')
    return 'float32'
