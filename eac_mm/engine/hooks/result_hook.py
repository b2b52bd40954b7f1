"""Write the metrics of every epoch to one small file."""

import json
import time
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from mmpretrain.registry import HOOKS
from torch.utils.data import Dataset

from eac_mm.datasets.noise import NoisyLabels, WrongSamples
from eac_mm.datasets.wrappers import find, parts_of, walk
from eac_mm.evaluation import MeanClass
from eac_mm.utils import hardware, revision
from eac_mm.utils.files import write_atomically
from eac_mm.utils.identity import first_weights
from eac_mm.utils.plain import to_plain
from eac_mm.version import MEASURES

from ..stage import is_starting
from .precision_hook import training_precision
from .run_identity_hook import RunIdentityHook


@HOOKS.register_module()
class ResultHook(Hook):
    """Write the metrics of every validation and the mean of the last ones.

    The paper reports the mean of the last five epochs. The best epoch is chosen on
    the data it is measured on, so its figure is too high. Both go to
    ``result.json`` in the work directory, under names that say which is which.
    Metrics that are arrays, such as one value for each class, are written as lists
    and have no mean. In a loop that goes by iterations, ``iter`` stands in place of
    ``epoch``.

    The file also says what made the figures: ``identity``
    (:class:`~eac_mm.engine.RunIdentityHook`), ``start`` (files of the first weights),
    ``data`` (data sets, their sizes and the noise), ``last_by_class`` (accuracy of each
    class at the last validation, of :class:`~eac_mm.evaluation.MeanClass`),
    ``cost`` (``seconds``: of the cores of the training process, without the workers
    that load data, and on a GPU of the clock; ``peak_memory`` of the process or the
    GPU in bytes; ``parameters``, the number of weights), ``sessions`` (code, machine
    and precision, an item more if a resumed run went on with others) and ``measures``
    (:data:`eac_mm.version.MEASURES`).

    Args:
        metric: Key of the metric that the best epoch is chosen by. Defaults to
            ``'accuracy/top1'``.
        last: Number of epochs in the mean. Defaults to 5.
    """

    # After the hooks that add to the metrics.
    priority = 'LOWEST'

    def __init__(self, metric: str = 'accuracy/top1', last: int = 5) -> None:
        if last < 1:
            raise ValueError(f'ResultHook: last={last}. Fix: give 1 or more epochs.')
        self.metric = metric
        self.last = last
        self.loaded: dict | None = None
        self.in_training = False

    def before_run(self, runner: Runner) -> None:
        """Forget a training that an exception ended."""
        self.in_training = False

    def before_train(self, runner: Runner) -> None:
        """Start anew, or from the metrics that a resumed checkpoint holds."""
        self.in_training = True
        self.path = Path(runner.work_dir) / 'result.json'
        loaded, self.loaded = self.loaded, None
        self.clock = None
        self.cost_clock: float | None = _time_spent()
        self.data = dict(train=describe_data(runner.train_dataloader.dataset))
        if runner.val_loop is not None:
            self.data['val'] = describe_data(runner.val_dataloader.dataset)
        self.epochs, self.sessions, self.start = [], [], None
        if not runner._resume:
            self.start = first_weights(runner.cfg)
        if loaded is not None:
            self.epochs = loaded['epochs']
            self.clock = time.monotonic() - loaded['seconds']
            spent = loaded.get('spent')  # None in a checkpoint of before
            self.cost_clock = None if spent is None else _time_spent() - spent
            self.sessions = loaded.get('sessions', [])
            self.start = loaded.get('start')
        elif runner._resume and self.path.is_file():  # a checkpoint of before 0.1.0
            self.cost_clock = None
            epochs = json.loads(self.path.read_text())['epochs']
            self.epochs = [e for e in epochs if e.get('epoch', 0) < runner.epoch]
        session = dict(
            code=revision.describe(),
            machine=hardware.describe(),
            precision=training_precision(runner),
        )
        if session not in self.sessions:
            self.sessions = [*self.sessions, session]

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the metrics so far, and the seconds since the last validation."""
        if hasattr(self, 'path'):
            checkpoint['result'] = dict(
                epochs=list(self.epochs),
                seconds=self._seconds(),
                spent=self._spent(),
                sessions=list(self.sessions),
                start=self.start,
            )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take the metrics of a run that is resumed."""
        resumes = runner._resume and is_starting(runner)
        self.loaded = checkpoint.pop('result', None) if resumes else None

    def before_train_epoch(self, runner: Runner) -> None:
        """Start the clock in the first epoch; epochs without validation add up."""
        if self.clock is None:
            self.clock = time.monotonic()

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Add the metrics of this epoch."""
        if not self.in_training:
            return
        numbers = {key: _rounded(v) for key, v in to_plain(metrics or {}).items()}
        seconds = round(self._seconds(), 1)
        self.clock = time.monotonic()
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            place = dict(iter=runner.iter)
        else:
            place = dict(epoch=runner.epoch)
        self.epochs.append(dict(**place, **numbers, seconds=seconds))
        self._write(runner, finished=False)

    def _seconds(self) -> float:
        """Return the seconds since the last validation, or since the start."""
        return 0.0 if self.clock is None else time.monotonic() - self.clock

    def _spent(self) -> float | None:
        """Return the seconds that the run has cost, None if a part is not known."""
        if self.cost_clock is None:
            return None
        return round(_time_spent() - self.cost_clock, 1)

    def after_train(self, runner: Runner) -> None:
        """Log the mean of the last epochs."""
        self.in_training = False
        if not self.epochs:
            return
        result = self._write(runner, finished=True)
        unit = 'iter' if 'iter' in self.epochs[-1] else 'epoch'
        first, final = (self.epochs[i][unit] for i in (-result['last'], -1))
        mean = result['last_mean']
        parts = [f'{k} {v:.2f}' for k, v in mean.items() if k != 'seconds']
        runner.logger.info(
            f'Mean of {result["last"]} validations, {unit}s {first} to {final}: '
            f'{", ".join(parts)} ({self.path})'
        )
        best = result['best_epoch']
        chosen = (
            f'; best: {unit} {best[unit]} with {self.metric} {best[self.metric]:.2f}, '
            'too high a figure, for it was chosen on the data it is measured on'
        )
        runner.logger.info(
            f'Finished {unit} {final} after {result["seconds"] / 60:.1f} min'
            f'{chosen if best else ""}. Checkpoints: {runner.work_dir}'
        )

    def _write(self, runner: Runner, finished: bool) -> dict:
        tail = self.epochs[-self.last :]
        shared = [
            key
            for key in tail[-1]
            if key not in ('epoch', 'iter')
            and all(_is_number(e.get(key)) for e in tail)
        ]
        measured = [e for e in self.epochs if _is_number(e.get(self.metric))]
        result = dict(
            config=runner.cfg.filename and Path(runner.cfg.filename).name,
            seed=runner.seed,
            finished=finished,
            last=len(tail),
            last_mean={key: round(fmean(e[key] for e in tail), 4) for key in shared},
            best_epoch=max(measured, key=lambda e: e[self.metric], default=None),
            seconds=round(sum(e['seconds'] for e in self.epochs), 1),
            cost=dict(
                seconds=self._spent(),
                peak_memory=hardware.peak_memory(),
                parameters=sum(p.numel() for p in runner.model.parameters()),
            ),
            epochs=self.epochs,
            last_by_class=_by_class(runner),
            data=self.data,
            measures=MEASURES,
            start=self.start,
            sessions=self.sessions,
            identity=_identity_of(runner),
        )
        if is_main_process():
            text = json.dumps(result, indent=1) + '\n'
            write_atomically(self.path, text.encode())
        return result


def describe_data(dataset: Dataset) -> dict:
    """Return the class and size of a data set, and its noise if it has noisy labels.

    The number of wrong labels is that of the samples which the data set serves, each
    once; of all of them if an unknown wrapper hides which these are.
    """
    leaves = [part for part in walk(dataset) if not parts_of(part)]
    found: dict = dict(
        type=' + '.join(dict.fromkeys(type(leaf).__name__ for leaf in leaves)),
        samples=len(dataset),
    )
    noisy = find(dataset, NoisyLabels)
    try:
        samples = WrongSamples(dataset, lambda sample: sample).samples
        wrong = Counter(id(part) for part, _ in samples)
    except TypeError:
        wrong = {id(part): len(part.wrong_indices) for part in noisy}
    noise = [describe_noise(part, wrong[id(part)]) for part in noisy]
    if noise:
        found['noise'] = noise[0] if len(noise) == 1 else noise
    return found


def describe_noise(noisy: NoisyLabels, wrong: int) -> dict:
    """Return where noisy labels come from, and how many are wrong."""
    source = dict(kind=noisy.kind, rate=noisy.rate, seed=noisy.seed)
    if noisy.noise_file is not None:
        source = dict(kind='file', noise_file=Path(noisy.noise_file).name)
    elif noisy.transition is not None:
        source['transition'] = noisy.transition
    return to_plain(dict(**source, wrong=wrong))


def _by_class(runner: Runner) -> dict | None:
    """Return the accuracy of each class by its name, None if it was not measured."""
    metrics = getattr(getattr(runner.val_loop, 'evaluator', None), 'metrics', ())
    for metric in metrics:
        if isinstance(metric, MeanClass) and metric.accuracies is not None:
            names = (metric.dataset_meta or {}).get('classes') or ()
            numbers = range(len(names), len(metric.accuracies))
            names = [*map(str, names), *map(str, numbers)]
            return dict(zip(names, _rounded(metric.accuracies), strict=True))
    return None


def _time_spent() -> float:
    """Return seconds of cores, which other work on the machine does not lengthen.

    What a GPU does is not among them; there it is the clock.
    """
    return time.monotonic() if torch.cuda.is_available() else time.process_time()


def _identity_of(runner: Runner) -> dict | None:
    hooks = (hook for hook in runner.hooks if isinstance(hook, RunIdentityHook))
    return next((hook.identity for hook in hooks), None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _rounded(value: Any) -> Any:
    """Round a number, or all numbers of a list or dict, to four places."""
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(float(value), 4) if _is_number(value) else value
