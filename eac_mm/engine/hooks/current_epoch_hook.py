"""Tell the model which epoch it trains."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS

from .exact_resume_hook import inner_model


@HOOKS.register_module()
class CurrentEpochHook(Hook):
    """Set ``epoch`` of the model and of its head, for methods that change by it.

    Epochs count from 0. The number follows from the iteration, so that it is the same
    in any loop and after a resume. A model or its head asks for it by an attribute
    ``epoch``, None until a run begins. Others are left as they are.
    """

    def before_run(self, runner: Runner) -> None:
        """Set the epoch for the checks before training."""
        model = inner_model(runner)
        parts = (model, getattr(model, 'head', None))
        self._told = [part for part in parts if hasattr(part, 'epoch')]
        self._tell(0)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Set the epoch of this iteration."""
        self._tell(runner.iter // len(runner.train_dataloader))

    def _tell(self, epoch: int) -> None:
        for part in self._told:
            part.epoch = epoch
