"""Mixed precision on any device."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from mmengine.optim import OptimWrapper
from mmpretrain.registry import OPTIM_WRAPPERS
from torch import nn

from eac_mm.utils import hardware


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run forward passes under bfloat16 autocast, on CPU or GPU.

    MMEngine's ``AmpOptimWrapper`` refuses the CPU. Weights, gradients and the
    optimiser stay in float32. bfloat16 has float32's range, so no loss scale is
    needed. A CPU that only emulates bfloat16
    (:func:`eac_mm.utils.hardware.bfloat16_unit`) runs in float32.
    :class:`~eac_mm.engine.PrecisionHook` logs the choice, and validates and tests in
    it, too. Takes the arguments of MMEngine's ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter the context of one training step's forward pass."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), autocast('bfloat16', device):
            yield


def usable_precision(precision: str, device: str) -> str:
    """Return the precision that forward passes run in on a device.

    Args:
        precision: ``'float32'``, ``'bfloat16'`` or ``'float16'``.
        device: Type of the device, such as ``'cpu'``.

    Returns:
        ``precision``, or ``'float32'`` on a CPU that only emulates it.
    """
    if precision == 'float32' or device != 'cpu':
        return precision
    if precision == 'bfloat16' and hardware.has_fast_bfloat16():
        return precision
    return 'float32'


def autocast(precision: str, device: str) -> AbstractContextManager:
    """Return the context of a forward pass in a precision that is usable there.

    In float32 it changes nothing, so that an autocast around it stays.
    """
    usable = usable_precision(precision, device)
    if usable == 'float32':
        return nullcontext()
    return torch.autocast(device, getattr(torch, usable))


def why_precision(precision: str, device: str) -> str:
    """Describe the precision that forward passes run in, and why.

    Args:
        precision: As wanted.
        device: Type of the device.
    """
    usable = usable_precision(precision, device)
    if usable != precision:
        return (
            f'{usable} instead of {precision}: this CPU ({hardware.instructions()}) '
            f'only emulates {precision}, which takes longer'
        )
    if device == 'cpu' and usable == 'bfloat16':
        return f'{usable}, which this CPU multiplies by {hardware.bfloat16_unit()}'
    return f'{usable}, as configured'
