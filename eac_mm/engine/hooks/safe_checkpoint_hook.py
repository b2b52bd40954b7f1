"""Checkpoints that are whole, obey no stranger and fit the model."""

from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmpretrain.registry import HOOKS

from eac_mm.engine.weights_fit import check_fits, prepare_start
from eac_mm.utils import compat
from eac_mm.utils.files import list_checkpoints, remove_parts


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, mended.

    - A checkpoint is written beside its name and renamed, and the oldest one
      goes only after the newest one is whole; MMEngine deletes first and then
      writes under the final name.
    - The file holds tensors and plain values only, so that it loads with
      ``weights_only=True``.
    - A file of another model is an error before anything of it is used, where
      MMEngine warns and goes on with random weights.

    Args:
        **kwargs: What MMEngine's ``CheckpointHook`` takes. ``backend_args``
            defaults to ``dict(backend='atomic')``.

    Raises:
        OSError: Where a checkpoint cannot be written, saying what is kept.
        ValueError: On loading, if the file leaves weights unfilled. A file that
            training starts from (``load_from``) must fill the backbones; to test or
            resume, all must fit. See :mod:`~eac_mm.engine.weights_fit`.
    """

    def __init__(self, **kwargs) -> None:
        if kwargs.get('file_client_args') is None:
            kwargs.setdefault('backend_args', dict(backend='atomic'))
        super().__init__(**kwargs)

    def before_train(self, runner: Runner) -> None:
        """Clear away what a killed run left half written.

        Raises:
            ValueError: For checkpoints by iteration in a loop that goes by epochs.
        """
        if not self.by_epoch and isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                f'checkpoint=dict(by_epoch=False, interval={self.interval}): training '
                'goes by epochs, and a run cannot resume in the middle of one. Fix: '
                "default_hooks.checkpoint.by_epoch=True, or an 'IterBasedTrainLoop'."
            )
        if self.by_epoch and isinstance(runner.train_loop, IterBasedTrainLoop):
            runner.logger.warning(
                'checkpoint=dict(by_epoch=True): training goes by iterations, and the '
                'only checkpoint is written at its end. Fix: '
                'default_hooks.checkpoint.by_epoch=False with an interval in iterations'
            )
        super().before_train(runner)
        if is_main_process():
            remove_parts(self.out_dir)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        # MMEngine would write the newest checkpoint again, in the middle of what the
        # hooks do after validation. ExactResumeHook repeats the validation instead.
        last, self.last_ckpt = self.last_ckpt, None
        try:
            super()._save_best_checkpoint(runner, metrics)
        finally:
            self.last_ckpt = last

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        # On every process; MMEngine's before_save_checkpoint is for the main one.
        runner.call_hook('before_checkpoint')
        keep, self.max_keep_ckpts = self.max_keep_ckpts, -1  # delete nothing yet
        try:
            super()._save_checkpoint_with_step(runner, step, meta)
        except OSError as error:
            kept = [path.name for path in list_checkpoints(self.out_dir)]
            raise OSError(
                f'{self.last_ckpt} could not be written ({error}); whole and kept: '
                f'{kept or "none"}. Fix: make room or repair the folder, and go on '
                'with --resume.'
            ) from error
        finally:
            self.max_keep_ckpts = keep
        if keep > 0 and is_main_process():
            for old in list_checkpoints(self.out_dir)[keep:]:
                Path(old).unlink(missing_ok=True)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Replace MMEngine's objects by plain values."""
        checkpoint['message_hub'] = compat.plain_message_hub(checkpoint['message_hub'])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the keys and put MMEngine's objects back."""
        if 'message_hub' in checkpoint:
            hub = compat.restore_message_hub(checkpoint['message_hub'])
            checkpoint['message_hub'] = hub
        # MMEngine's resume would run this string as Python.
        checkpoint.get('meta', {}).pop('config', None)

        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        # A loop stays the config's dict until it is built, which only
        # ``Runner.train`` does with the training loop.
        training = runner._train_loop is not None and not isinstance(
            runner._train_loop, dict
        )
        fit = prepare_start if training and not runner._resume else check_fits
        fit(checkpoint.get('state_dict', checkpoint), model)
