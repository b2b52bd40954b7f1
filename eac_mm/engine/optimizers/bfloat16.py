"""Mixed precision on any device."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmpretrain.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run forward passes under bfloat16 autocast, on CPU or GPU.

    MMEngine's ``AmpOptimWrapper`` refuses the CPU. Weights, gradients and the
    optimiser stay in float32, and bfloat16 has float32's range, so that no loss
    scale is needed. :class:`~eac_mm.engine.NoisyLabelValLoop` validates in
    bfloat16, too. Takes the arguments of MMEngine's ``OptimWrapper``.
    """

    @staticmethod
    def autocast(model: nn.Module) -> torch.autocast:
        """The context of a forward pass."""
        return torch.autocast(next(model.parameters()).device.type, torch.bfloat16)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The context of one training step's forward pass."""
        with super().optim_context(model), self.autocast(model):
            yield
