"""What a run came to, in one small file."""

import json
import os
import time
from pathlib import Path
from statistics import fmean

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS


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

    priority = 'LOW'

    def __init__(self, metric: str = 'accuracy/top1', last: int = 5) -> None:
        if last < 1:
            raise ValueError(f'ResultHook: last={last}; give 1 or more epochs.')
        self.metric = metric
        self.last = last

    def before_train(self, runner: Runner) -> None:
        """Take up what an interrupted run has written before its checkpoint."""
        self.path = Path(runner.work_dir) / 'result.json'
        self.epochs = []
        if runner._resume and self.path.is_file():
            epochs = json.loads(self.path.read_text())['epochs']
            self.epochs = [e for e in epochs if e['epoch'] <= runner.epoch]

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
        write_json(self.path, result)
        return result


@master_only
def write_json(path: Path, content: dict) -> None:
    """Write JSON so that the file is the old one or the new one, never half."""
    part = path.with_name(f'{path.name}.part{os.getpid()}')
    part.write_text(json.dumps(content, indent=1) + '\n')
    part.replace(path)
