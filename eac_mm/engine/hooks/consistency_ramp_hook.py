"""Raise the weight of the consistency loss slowly."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class ConsistencyRampHook(Hook):
    """Raise the head's ``ramp`` from 0 to 1 over the first epochs.

    In training from scratch, the full weight from the first step keeps all
    attention maps flat and slows learning; the paper's networks are pre-trained
    and need no ramp. The factor is linear in the iterations and depends on the
    iteration alone, so that a resumed run is exact.

    Args:
        epochs: Length of the ramp in epochs, more than 0.

    Raises:
        ValueError: If the length is not positive, or the head has no ramp.
    """

    def __init__(self, epochs: float) -> None:
        if epochs <= 0:
            raise ValueError(
                f'ConsistencyRampHook: epochs={epochs}. Fix: give more than 0, or '
                'leave the hook out.'
            )
        self.epochs = epochs

    def before_train(self, runner: Runner) -> None:
        """Find the head and compute the length in iterations."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.head = getattr(model, 'head', None)
        if not hasattr(self.head, 'ramp'):
            raise ValueError(
                f'{type(self.head).__name__} has no consistency weight to ramp. Fix: '
                'use an EACHead, or leave ConsistencyRampHook out.'
            )
        self.iterations = self.epochs * len(runner.train_dataloader)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Set the factor for this iteration."""
        self.head.ramp = min(1.0, runner.iter / self.iterations)
