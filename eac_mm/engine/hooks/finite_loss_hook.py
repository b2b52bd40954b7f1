"""End the run if the loss is not finite."""

from collections import deque

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """End the run at a loss that is not finite, and say where it began.

    On a GPU the losses are read every ``interval`` iterations, so that no step
    waits for the device; the iteration where it began is named all the same.
    A model whose ``train_step`` returns no ``loss`` is judged by all that it returns.
    Whatever the interval, no checkpoint is written after the loss went wrong, or
    with parameters that are not finite; the ones before it are kept.

    Args:
        interval: Iterations between two looks on a GPU; on the CPU every
            iteration is looked at. Defaults to 50.

    Raises:
        FloatingPointError: With the epoch, iteration, learning rate, losses and
            the paths of that iteration's images, or with the parameters.
    """

    # Before checkpoints are written, and before the logger.
    priority = 'ABOVE_NORMAL'

    def __init__(self, interval: int = 50) -> None:
        if interval < 1:
            raise ValueError(
                f'FiniteLossHook: interval={interval}. Fix: give 1 or more.'
            )
        self.interval = interval
        self.recent: deque = deque()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Note the loss, and look at the noted ones when it is time."""
        samples = (data_batch or {}).get('data_samples') or []
        rate = next(iter(runner.optim_wrapper.get_lr().values()))[0]
        losses = {
            key: torch.as_tensor(value).detach()
            for key, value in (outputs or {}).items()
            if isinstance(value, torch.Tensor | float | int)
        }
        self.recent.append((runner.iter, rate, losses, samples))
        if self.is_on_cpu(losses) or len(self.recent) >= self.interval:
            self._look(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Look on every process before the epoch is saved."""
        self._look(runner)

    def before_checkpoint(self, runner: Runner) -> None:
        """Look on every process before a checkpoint of any interval."""
        self._look(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse to save parameters that are not finite.

        A finite loss can have an infinite gradient, and the loss after it is not
        computed before the checkpoint is written.
        """
        self._look(runner)
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        for name, _ in model.named_parameters():
            value = checkpoint['state_dict'].get(name)
            if value is not None and not torch.isfinite(value).all():
                raise FloatingPointError(
                    f'{name} is not finite after iteration {runner.iter + 1}, so no '
                    'checkpoint is written; the ones before it are kept. Fix: a '
                    'smaller learning rate, optim_wrapper.clip_grad, or float32 in '
                    'place of --amp'
                )

    @staticmethod
    def is_on_cpu(losses: dict[str, torch.Tensor]) -> bool:
        """Whether looking at the losses makes nobody wait."""
        return all(value.device.type == 'cpu' for value in losses.values())

    def _look(self, runner: Runner) -> None:
        noted = [entry for entry in self.recent if entry[2]]
        self.recent.clear()
        if not noted:
            return
        losses = torch.stack([_loss_in(outputs) for _, _, outputs, _ in noted])
        bad = (~torch.isfinite(losses)).nonzero()
        if not len(bad):
            return
        iteration, rate, outputs, samples = noted[int(bad[0])]
        length = len(runner.train_dataloader)
        values = ', '.join(f'{k} {float(v):.4g}' for k, v in outputs.items())
        paths = [str(s.metainfo.get('img_path', s.metainfo)) for s in samples]
        raise FloatingPointError(
            f'the loss is not finite in epoch {iteration // length + 1}, iteration '
            f'{iteration % length + 1} of {length} (iteration {iteration + 1} in all), '
            f'learning rate {rate:.4g}: {values}. The checkpoints before it are kept. '
            'Fix: a smaller learning rate, float32 in place of --amp, or a look at '
            f'these images: {paths}'
        )


def _loss_in(losses: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the loss, or a sum that is not finite if any value is not."""
    if 'loss' in losses:
        return losses['loss']
    return sum(value.float().sum() for value in losses.values())
