"""Mixed precision on any device."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmpretrain.registry import OPTIM_WRAPPERS
from torch import nn

from eac_mm.utils import hardware


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run forward passes under bfloat16 autocast, on CPU or GPU.

    MMEngine's ``AmpOptimWrapper`` refuses the CPU. Weights, gradients and the
    optimiser stay in float32. bfloat16 has float32's range, so no loss scale is
    needed. A CPU for which PyTorch has no bfloat16 convolutions
    (:func:`eac_mm.utils.hardware.has_bfloat16_convolutions`) runs in float32, and a
    warning says so. Takes the arguments of MMEngine's ``OptimWrapper``.
    :class:`~eac_mm.engine.PrecisionHook` validates and tests in bfloat16, too.
    """

    _warned = False

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter the context of one training step's forward pass."""
        device = next(model.parameters()).device.type
        if not self._warned and usable_precision('bfloat16', device) != 'bfloat16':
            self._warned = True
            print_log(
                'Training in float32 instead of bfloat16: PyTorch has no bfloat16 '
                'convolutions for this CPU (they need AVX-512, AMX or the like) and '
                'would take several times as long. The figures are those of a run in '
                'float32. There is nothing to fix.',
                'current',
                logging.WARNING,
            )
        with super().optim_context(model), autocast('bfloat16', device):
            yield


def usable_precision(precision: str, device: str) -> str:
    """Return the precision that forward passes run in on a device.

    Args:
        precision: ``'float32'``, ``'bfloat16'`` or ``'float16'``.
        device: Type of the device, such as ``'cpu'``.

    Returns:
        ``precision``, or ``'float32'`` on a CPU without such convolutions.
    """
    if precision == 'float32' or device != 'cpu':
        return precision
    if precision == 'bfloat16' and hardware.has_bfloat16_convolutions():
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
