"""Mixed precision on any device."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

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
    optimiser stay in float32, and bfloat16 has float32's range, so that no loss
    scale is needed. :class:`~eac_mm.engine.NoisyLabelValLoop` validates in
    bfloat16, too. A CPU for which PyTorch has no bfloat16 convolutions
    (:func:`eac_mm.utils.hardware.has_bfloat16_convolutions`) runs in float32, and a
    warning says so. Takes the arguments of MMEngine's ``OptimWrapper``.
    """

    _warned = False

    def autocast(self, model: nn.Module) -> torch.autocast:
        """The context of a forward pass."""
        device = next(model.parameters()).device.type
        fast = device != 'cpu' or hardware.has_bfloat16_convolutions()
        if not fast and not self._warned:
            self._warned = True
            print_log(
                'float32 in place of bfloat16: PyTorch has no bfloat16 convolutions '
                'for this CPU (they need AVX-512, AMX or the like) and would take '
                'several times as long. Nothing need be done; the figures are those of '
                'a run in float32.',
                'current',
                logging.WARNING,
            )
        return torch.autocast(device, torch.bfloat16, enabled=fast)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The context of one training step's forward pass."""
        with super().optim_context(model), self.autocast(model):
            yield
