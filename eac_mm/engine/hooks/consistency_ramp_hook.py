"""A slow start for the weight of the consistency loss."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class ConsistencyRampHook(Hook):
    """Raise the head's ``ramp`` from 0 to 1 over the first epochs.

    From scratch, the full weight from the first step keeps all attention maps
    flat and slows learning; the paper's networks are pre-trained and need no
    ramp. The factor is linear in the iterations and follows from the iteration
    alone, so that a resumed run goes on as it would have.

    Args:
        epochs: Length of the ramp, more than 0.

    Raises:
        ValueError: For a length that is not positive, or a head without ramp.
    """

    def __init__(self, epochs: float) -> None:
        if epochs <= 0:
            raise ValueError(
                f'ConsistencyRampHook: epochs={epochs}; give more than 0, or leave '
                'the hook out.'
            )
        self.epochs = epochs

    def before_train(self, runner: Runner) -> None:
        """Find the head and work out the length in iterations."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self.head = getattr(model, 'head', None)
        if not hasattr(self.head, 'ramp'):
            raise ValueError(
                f'{type(self.head).__name__} has no consistency weight to ramp. Mend: '
                'use an EACHead, or leave ConsistencyRampHook out.'
            )
        self.iterations = self.epochs * len(runner.train_dataloader)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Set the factor for this iteration."""
        self.head.ramp = min(1.0, runner.iter / self.iterations)
