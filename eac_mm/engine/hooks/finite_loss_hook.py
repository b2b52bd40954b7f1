"""Stop where the loss is no number."""

from collections import deque

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """End the run at a loss that is not finite, and say where it came from.

    On a GPU the losses are looked at every ``interval`` iterations, so that no
    step waits for the device; the iteration where it began is named all the
    same. The checkpoint of the last epoch stays, and nothing is saved after the
    loss went wrong.

    Args:
        interval: Iterations between two looks on a GPU; on the CPU every
            iteration is looked at. Defaults to 50.

    Raises:
        FloatingPointError: With the epoch, iteration, learning rate, losses and
            the paths of that iteration's images.
    """

    # Before checkpoints are written, and before the logger.
    priority = 'ABOVE_NORMAL'

    def __init__(self, interval: int = 50) -> None:
        if interval < 1:
            raise ValueError(f'FiniteLossHook: interval={interval}; give 1 or more.')
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
        losses = {key: value.detach() for key, value in (outputs or {}).items()}
        self.recent.append((runner.iter, rate, losses, samples))
        if self.is_on_cpu(outputs) or len(self.recent) >= self.interval:
            self._look(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Look before the epoch is saved."""
        self._look(runner)

    @staticmethod
    def is_on_cpu(outputs: dict | None) -> bool:
        """Whether looking at the losses makes nobody wait."""
        return not outputs or outputs['loss'].device.type == 'cpu'

    def _look(self, runner: Runner) -> None:
        noted = [entry for entry in self.recent if entry[2]]
        self.recent.clear()
        if not noted:
            return
        losses = torch.stack([outputs['loss'] for _, _, outputs, _ in noted])
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
            'Mend: a smaller learning rate, float32 in place of --amp, or a look at '
            f'these images: {paths}'
        )
