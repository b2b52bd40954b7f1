"""What a run came to, in one small file."""

import json
import time
from pathlib import Path
from statistics import fmean

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS

from eac_mm.utils.files import write_atomically


@HOOKS.register_module()
class ResultHook(Hook):
    """Keep the metrics of every epoch and the mean of the last ones.

    The paper reports the mean of the last five epochs; the best epoch peeks at
    the data it is measured on. Both are written to ``result.json`` in the work
    directory, under names that say which is which.

    Args:
        metric: Key of the metric that the best epoch is chosen by. Defaults to
            ``'accuracy/top1'``.
        last: Number of epochs in the mean. Defaults to 5.
    """

    # After the other hooks, which a validation before training calls too.
    priority = 'LOWEST'

    def __init__(self, metric: str = 'accuracy/top1', last: int = 5) -> None:
        if last < 1:
            raise ValueError(f'ResultHook: last={last}; give 1 or more epochs.')
        self.metric = metric
        self.last = last

    def before_train(self, runner: Runner) -> None:
        """Take up what an interrupted run has written before its checkpoint.

        A checkpoint is written before its epoch is measured: where the run ended
        between the two, that is made up for.
        """
        self.path = Path(runner.work_dir) / 'result.json'
        self.epochs = []
        self.start = time.monotonic()
        if not runner._resume or runner.epoch == 0:
            return
        if self.path.is_file():
            epochs = json.loads(self.path.read_text())['epochs']
            self.epochs = [e for e in epochs if e['epoch'] <= runner.epoch]
        measured = bool(self.epochs) and self.epochs[-1]['epoch'] == runner.epoch
        if not measured and validation_is_due(runner):
            runner.val_loop.run()

    def before_train_epoch(self, runner: Runner) -> None:
        """Start the epoch's clock."""
        self.start = time.monotonic()

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Note the metrics of this epoch."""
        if not hasattr(self, 'path'):
            return  # validation outside training
        numbers = {
            key: round(float(value), 4)
            for key, value in (metrics or {}).items()
            if isinstance(value, int | float)
        }
        seconds = round(time.monotonic() - self.start, 1)
        self.epochs.append(dict(epoch=runner.epoch, **numbers, seconds=seconds))
        self._write(runner, finished=False)

    def after_train(self, runner: Runner) -> None:
        """Say what the run came to."""
        if not self.epochs:
            return
        result = self._write(runner, finished=True)
        first, final = self.epochs[-self.last :][0]['epoch'], self.epochs[-1]['epoch']
        mean = result['last_mean']
        parts = [f'{k} {v:.2f}' for k, v in mean.items() if k != 'seconds']
        runner.logger.info(
            f'Mean of epochs {first} to {final}: {", ".join(parts)} ({self.path})'
        )

    def _write(self, runner: Runner, finished: bool) -> dict:
        tail = self.epochs[-self.last :]
        shared = [k for k in tail[-1] if k != 'epoch' and all(k in e for e in tail)]
        measured = [e for e in self.epochs if self.metric in e]
        result = dict(
            config=runner.cfg.filename and Path(runner.cfg.filename).name,
            seed=runner.seed,
            finished=finished,
            last=len(tail),
            last_mean={key: round(fmean(e[key] for e in tail), 4) for key in shared},
            best_epoch=max(measured, key=lambda e: e[self.metric], default=None),
            seconds=round(sum(e['seconds'] for e in self.epochs), 1),
            epochs=self.epochs,
        )
        if is_main_process():
            text = json.dumps(result, indent=1) + '\n'
            write_atomically(self.path, text.encode())
        return result


def validation_is_due(runner: Runner) -> bool:
    """Whether the training loop validates after the epochs done so far."""
    loop, epoch = runner.train_loop, runner.epoch
    return (
        runner.val_loop is not None
        and epoch >= loop.val_begin
        and (epoch % loop.val_interval == 0 or epoch == loop.max_epochs)
    )
