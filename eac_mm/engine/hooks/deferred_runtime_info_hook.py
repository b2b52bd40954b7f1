"""Log losses without waiting for the device."""

import torch
from mmengine.hooks import LoggerHook, RuntimeInfoHook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """Keep the losses on the device until they are logged.

    MMEngine's ``RuntimeInfoHook`` reads every loss in every iteration, which leaves a
    GPU idle until the next iteration is launched. This hook reads them together, when
    a ``LoggerHook`` is about to log and at the end of an epoch. The log is the same.
    """

    def before_train(self, runner: Runner) -> None:
        """Find the loggers."""
        super().before_train(runner)
        self.loggers = [h for h in runner.hooks if isinstance(h, LoggerHook)]
        self.noted: list[dict[str, torch.Tensor]] = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Keep the losses, and pass them on when a logger needs them."""
        if outputs:
            self.noted.append({k: v.detach() for k, v in outputs.items()})
        if self.end_of_epoch(runner.train_dataloader, batch_idx) or any(
            self.every_n_inner_iters(batch_idx, h.interval) for h in self.loggers
        ):
            self._hand_on(runner)

    def _hand_on(self, runner: Runner) -> None:
        noted, self.noted = self.noted, []
        while noted:
            keys = list(noted[0])
            alike = [entry for entry in noted if list(entry) == keys]
            noted = [entry for entry in noted if list(entry) != keys]
            # One tensor, and so one transfer.
            values = torch.stack([torch.stack(list(e.values())) for e in alike])
            for row in values.float().tolist():
                for key, value in zip(keys, row, strict=True):
                    runner.message_hub.update_scalar(f'train/{key}', value)
