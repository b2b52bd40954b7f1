"""Save checkpoints atomically, and check them when they are loaded."""

from collections import deque
from pathlib import Path
from typing import Literal

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmpretrain.registry import HOOKS

from eac_mm.engine.stage import is_starting, is_training
from eac_mm.engine.weights_fit import check_fits, prepare_start
from eac_mm.utils import compat
from eac_mm.utils.checkpoints import (
    list_checkpoints,
    refuse_run_files,
    remove_run_files,
)
from eac_mm.utils.files import remove_parts
from eac_mm.utils.restarts import mark_for_restarts


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook``, made safe.

    - A new run does not train in a work directory that holds another one.
    - A checkpoint is written beside its name and renamed, and the oldest one is
      deleted only after the newest one is whole. MMEngine deletes first and then
      writes under the final name.
    - Only checkpoints that this run wrote are deleted.
    - The file holds tensors and plain values only, so that it loads with
      ``weights_only=True``.
    - A file of another model is an error before anything of it is used. MMEngine
      warns and goes on with random weights.

    Args:
        **kwargs: What MMEngine's ``CheckpointHook`` takes, except ``out_dir`` and
            ``filename_tmpl``: resuming looks for ``epoch_N.pth`` and ``iter_N.pth``
            in the work directory. ``backend_args`` defaults to
            ``dict(backend='atomic')``.

    Attributes:
        leftovers: What to do with files of a run in the work directory: ``'refuse'``
            to train (the default; a run that resumes from one of them may), ``'keep'``
            them, or ``'remove'`` them when all checks before training have passed.

    Raises:
        OSError: If a checkpoint cannot be written, naming those that are kept.
        ValueError: On loading, if the file leaves weights unfilled. A file that
            training starts from (``load_from``) must fill the backbones; to test or
            resume, all must fit. See :mod:`~eac_mm.engine.weights_fit`.
    """

    def __init__(self, **kwargs) -> None:
        for name in ('out_dir', 'filename_tmpl'):
            if kwargs.get(name) is not None:
                raise ValueError(
                    f'SafeCheckpointHook: {name}={kwargs[name]!r} is not supported: '
                    '--resume looks for epoch_N.pth and iter_N.pth in the work '
                    'directory. Fix: leave it out, and choose --work-dir.'
                )
        if kwargs.get('file_client_args') is None:
            kwargs.setdefault('backend_args', dict(backend='atomic'))
        super().__init__(**kwargs)
        self.leftovers: Literal['refuse', 'keep', 'remove'] = 'refuse'

    def before_run(self, runner: Runner) -> None:
        """Keep a new run out of a folder that holds another one."""
        if not is_training(runner) or self.leftovers != 'refuse':
            return
        folder, start = Path(runner.work_dir), runner._load_from
        own = start is None or Path(start).resolve().parent == folder.resolve()
        if not (runner._resume and own):
            refuse_run_files(folder)

    def before_train(self, runner: Runner) -> None:
        """Clear away old files, and recall which checkpoints this run has kept.

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
        leftovers, self.leftovers = self.leftovers, 'keep'  # to test after training
        if is_main_process():
            if leftovers == 'remove':
                names = remove_run_files(runner.work_dir)
                runner.logger.info(
                    f'deleted in {runner.work_dir}: {names or "nothing"}'
                )
            remove_parts(runner.work_dir)
            mark_for_restarts(runner.work_dir)
        self._recall_files(runner)
        super().before_train(runner)

    def _recall_files(self, runner: Runner) -> None:
        """Make what the message hub says of files true for this work directory."""
        hub = runner.message_hub
        for key, value in list(hub.runtime_info.items()):
            if not key.startswith(('keep_ckpt_ids', 'best_ckpt', 'best_score')):
                continue
            if not runner._resume:  # of another run in this process
                hub.runtime_info.pop(key)
            elif key.startswith('best_ckpt') and value:
                # The folder may have moved, or be a new one beside the old.
                hub.update_info(key, str(Path(runner.work_dir, Path(value).name)))

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
        keep = self.max_keep_ckpts
        ids = []
        if keep > 0:
            ids = [*self.keep_ckpt_ids]
            ids += [] if step in ids else [step]
            # With the one that is deleted below: if the process is killed before
            # that, MMEngine deletes it on resume.
            runner.message_hub.update_info('keep_ckpt_ids', ids)
        self.max_keep_ckpts = -1  # MMEngine would delete before it saves
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
        if keep > 0:
            self.keep_ckpt_ids = deque(ids[-keep:], keep)
            if is_main_process():
                for old in ids[:-keep]:
                    path = Path(self.out_dir, self.filename_tmpl.format(old))
                    path.unlink(missing_ok=True)

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
        starts = is_starting(runner) and not runner._resume
        fit = prepare_start if starts else check_fits
        fit(checkpoint.get('state_dict', checkpoint), model)
