"""Give a run an identity, and keep other runs' checkpoints out of it."""

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpretrain.registry import HOOKS

from eac_mm.datasets.fingerprint import fingerprint
from eac_mm.utils.identity import (
    describe_settings,
    refuse_other_run,
    with_schedule_of,
)

from ..class_names import check_same, check_start, classes_in
from ..stage import is_built, is_starting, is_training


@HOOKS.register_module()
class RunIdentityHook(Hook):
    """Write a run's identity to its checkpoints, and compare it on resume.

    The identity is made of the settings that change the result, the seed, the batch
    over all processes (:mod:`eac_mm.utils.identity` has the rules), and a fingerprint
    of training and validation data (:func:`eac_mm.datasets.fingerprint.fingerprint`).
    It is ``meta['identity']`` in a checkpoint and ``identity`` in ``result.json``.

    If the model learns from a network of an earlier training, and knows the labels of
    that (``teacher_labels``, such as :class:`~eac_mm.models.KTNStudent`), they are
    compared with those of this training.

    Class names are compared whenever a checkpoint is loaded: their order says which
    output of the model means which class.

    Raises:
        ValueError: On resume, if the checkpoint belongs to another run, with all that
            differs; or if it has done more epochs than the run has. On any load, if
            the class names differ and the head is not new. Before a training, if a
            teacher learned from other labels.
    """

    def __init__(self) -> None:
        self.identity: dict | None = None

    def before_run(self, runner: Runner) -> None:
        """Work out the identity, if the run is a training."""
        if not is_training(runner):
            return
        data = dict(train=fingerprint(runner.train_dataloader.dataset))
        if runner.val_loop is not None:
            data['val'] = fingerprint(runner.val_dataloader.dataset)
        settings = describe_settings(
            runner.cfg.to_dict(), processes=get_world_size(), seed=runner.seed
        )
        self.identity = dict(**settings, data=data)

    def before_train(self, runner: Runner) -> None:
        """Compare the labels of a teacher with those of this training."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        then = getattr(model, 'teacher_labels', None)
        now = self.identity['data']['train']['labels']
        if None not in (then, now) and then != now:
            raise ValueError(
                f'{model.teacher_weights} was trained on other labels (fingerprint '
                f'{then}) than this training has ({now}), and would tell what it must '
                'not know. Fix: train the teacher on the same data, with the same '
                'noise rate and seed of the noise, and name its checkpoint: '
                'model.teacher_weights=PATH'
            )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the identity to a checkpoint."""
        checkpoint['meta']['identity'] = self.identity

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the checkpoint's run and classes with this run's."""
        if is_starting(runner):
            if self.identity is None:  # loaded by hand, before ``Runner.train``
                self.before_run(runner)
            if runner._resume:
                self._check_resume(runner, checkpoint)
            else:
                self._check_start(runner, checkpoint)
            return
        for loop, role in ((runner._test_loop, 'test'), (runner._val_loop, 'val')):
            if is_built(loop):
                dataset = loop.dataloader.dataset
                now = (getattr(dataset, 'metainfo', None) or {}).get('classes')
                check_same(classes_in(checkpoint), now, role)

    def _check_resume(self, runner: Runner, checkpoint: dict) -> None:
        meta, path = checkpoint.get('meta', {}), runner._load_from
        then = meta.get('identity')
        if then is None:
            runner.logger.warning(
                f'{path} does not say which run it belongs to (it is from before '
                '0.1.0), so its settings and data are not compared with these'
            )
            now = self.identity['data']['train']['classes']
            check_same(classes_in(checkpoint), now, 'training')
        else:
            schedule = refuse_other_run(then, self.identity, path)
            schedule += other_ends(runner, checkpoint)
            if schedule:
                runner.logger.warning(
                    'resuming goes on with the schedule of the checkpoint, and ignores '
                    f'these changes: {"; ".join(schedule)}. Fix: to apply them, start '
                    'a new run.'
                )
            self.identity = with_schedule_of(then, self.identity)
        check_length(runner, meta)

    def _check_start(self, runner: Runner, checkpoint: dict) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        weights = checkpoint.get('state_dict', checkpoint)
        weights = {key.removeprefix('module.'): w for key, w in weights.items()}
        now = self.identity['data']['train']['classes']
        check_start(classes_in(checkpoint), now, weights, model)


def other_ends(runner: Runner, checkpoint: dict) -> list[str]:
    """Say which schedulers of a checkpoint end elsewhere than those of the run.

    A scheduler without ``end`` ends with ``max_epochs``, and resuming restores that
    end. In a run that is made longer, the learning rate then stays as it is.
    """
    states, schedulers = checkpoint.get('param_schedulers'), runner.param_schedulers
    if not isinstance(states, list) or not isinstance(schedulers, list):
        return []
    return [
        f'param_scheduler.{i} ends after {state["end"]} '
        f'{"epochs" if now.by_epoch else "iterations"}, not {now.end}'
        for i, (state, now) in enumerate(zip(states, schedulers, strict=False))
        if state.get('end', now.end) != now.end
    ]


def check_length(runner: Runner, meta: dict) -> None:
    """Refuse a checkpoint that is further than the run shall go."""
    loop = runner.train_loop
    unit = 'epoch' if isinstance(loop, EpochBasedTrainLoop) else 'iter'
    done, end = meta.get(unit, 0), getattr(loop, f'max_{unit}s')
    if done > end:
        raise ValueError(
            f'{runner._load_from} is of {unit} {done}, and training ends at {unit} '
            f'{end}. Fix: train_cfg.max_{unit}s={done} or more.'
        )
