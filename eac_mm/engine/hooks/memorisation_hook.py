"""Measure memorisation after validation."""

import math

import torch
from mmengine.dist import get_world_size
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner, autocast
from mmpretrain.registry import HOOKS
from torch.utils.data import DataLoader

from eac_mm.datasets.noise import NoisyLabels, WrongSamples
from eac_mm.datasets.wrappers import find, walk
from eac_mm.evaluation import Memorisation


@HOOKS.register_module()
class MemorisationHook(Hook):
    """Add to the validation's metrics what became of wrong noisy labels.

    After a validation in training, the training images whose noisy label is wrong
    pass through the validation pipeline and the network in evaluation mode. The
    metrics get ``noise/memorised`` and ``noise/corrected`` of
    :class:`~eac_mm.evaluation.Memorisation`, before any other hook sees them. The
    wrappers around and between :class:`~eac_mm.datasets.NoisyLabels` do not matter:
    each image that training serves counts once.

    Nothing is added if no label is wrong, nor by ``runner.val()`` alone, which
    does not build the training data.

    Args:
        interval: Measure after every ``interval``-th validation and after the last
            ones. Defaults to 1.
        last: How many of the last validations to measure after, whatever the
            interval; as many as :class:`~eac_mm.engine.ResultHook` takes the mean of.
            Defaults to 5.
        by_class: Whether to add ``noise/memorised_by_class`` and
            ``noise/corrected_by_class``. Defaults to False.

    Raises:
        ValueError: If ``interval`` or ``last`` is not a number from 1.
        TypeError: If an unknown wrapper hides which sample comes from where.
    """

    # Before RuntimeInfoHook, which passes the metrics to the loggers.
    priority = 'HIGHEST'

    def __init__(
        self, interval: int = 1, last: int = 5, by_class: bool = False
    ) -> None:
        for name, value in dict(interval=interval, last=last).items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f'MemorisationHook: {name}={value!r} is not allowed. Fix: give 1 '
                    'or more validations.'
                )
        self.interval, self.last = interval, last
        self.by_class = by_class
        self._samples: WrongSamples | None = None
        self._dataloader: DataLoader | None = None

    def before_train(self, runner: Runner) -> None:
        """Find the wrong noisy labels in the training data."""
        self._samples = self._dataloader = None
        noisy = find(runner.train_dataloader.dataset, NoisyLabels)
        if runner.val_loop is None or not any(len(n.wrong_indices) for n in noisy):
            return
        validation = runner.val_dataloader.dataset
        pipelines = (getattr(part, 'pipeline', None) for part in walk(validation))
        pipeline = next((p for p in pipelines if p is not None), None)
        blind = [n.dataset for n in noisy if not n.annotations.describe_images]
        if pipeline is None or blind:
            culprit, lack = (
                (blind[0], 'get_data_info(idx) with an img_path')
                if blind
                else (validation, 'a pipeline')
            )
            runner.logger.warning(
                'Memorisation is not measured: the training images cannot pass through '
                f'the validation pipeline, because {type(culprit).__name__} has no '
                f'{lack}. Fix: give it one, or ignore this.'
            )
            return
        self._samples = WrongSamples(runner.train_dataloader.dataset, pipeline)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Add memorisation to the metrics."""
        if metrics is not None and self._samples is not None and self._is_due(runner):
            metrics.update(self._measure(runner))

    def after_train(self, runner: Runner) -> None:
        """End the workers that wait for a further validation."""
        self._dataloader = None

    def _is_due(self, runner: Runner) -> bool:
        loop = runner.train_loop
        done, end = loop.epoch, loop.max_epochs
        if isinstance(loop, IterBasedTrainLoop):
            done, end = loop.iter, loop.max_iters
        ahead = math.ceil((end - done) / loop.val_interval)
        return ahead < self.last or done // loop.val_interval % self.interval == 0

    @torch.no_grad()
    def _measure(self, runner: Runner) -> dict:
        if self._dataloader is None:
            self._dataloader = self._build_dataloader(runner)
        evaluator = Evaluator([Memorisation(self.by_class)])
        evaluator.dataset_meta = self._samples.metainfo
        with autocast(
            enabled=getattr(runner.val_loop, 'fp16', False)
        ):  # as MMEngine's loop
            for data_batch in self._dataloader:
                outputs = runner.model.val_step(data_batch)
                evaluator.process(outputs, data_batch)
        return evaluator.evaluate(len(self._samples))

    def _build_dataloader(self, runner: Runner) -> DataLoader:
        """Build a data loader like the validation's, but for its data."""
        like = runner.val_dataloader
        cfg = dict(
            dataset=self._samples,
            batch_size=like.batch_size,
            num_workers=like.num_workers,
            persistent_workers=like.persistent_workers,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=False),
        )
        runner.logger.info(
            f'Memorisation is measured on {len(self._samples):,} training images with '
            f'a wrong label, {get_world_size()} process(es)'
        )
        return runner.build_dataloader(cfg, seed=runner.seed)
