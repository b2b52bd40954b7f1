"""Train, in a work directory that no other run is in."""

import contextlib
import json
import os
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path

from mmengine import Config
from mmengine.runner import Runner
from torch import nn

from eac_mm.engine import SafeCheckpointHook
from eac_mm.utils.alone import alone_in
from eac_mm.utils.checkpoints import (
    RESULT,
    newest_whole,
    refuse_run_files,
    remove_run_files,
    run_files,
)
from eac_mm.utils.identity import describe_settings, refuse_other_run
from eac_mm.utils.restarts import restarted_in

from .launch import build_runner, load_plain, resume


def train(
    cfg: Config,
    resume_from: str | None = None,
    overwrite: bool = False,
    trust_checkpoint: bool = False,
) -> nn.Module:
    """Train a model.

    Args:
        cfg: Config from :func:`~eac_mm.apis.load_config`, changed in place.
        resume_from: A checkpoint to resume from, or ``'auto'`` for the newest whole
            one in the work directory; see :func:`~eac_mm.apis.resume`. Defaults to
            None: a new run. A job that torchrun or Slurm restarts resumes the
            newest whole checkpoint that it has written, whatever is given here; if
            it has written none, it starts again as given here.
        overwrite: If the work directory holds another run, delete its checkpoints
            and result as soon as all checks have passed. Defaults to False.
        trust_checkpoint: See :func:`~eac_mm.apis.build_runner`.

    Returns:
        The trained model.

    Raises:
        ValueError: If the work directory holds another run, naming the ways on; and
            what :func:`~eac_mm.apis.resume` and the checks before training raise.
        RuntimeError: If another process trains in the work directory, or a worker that
            loads images dies.

    Examples:
        >>> from eac_mm.apis import load_config, train
        >>> train(load_config('configs/eac/resnet18_syntheticfer_noise30.py'))
    """
    with alone_in(cfg.work_dir, cfg.get('launcher', 'none')):
        return _train(cfg, resume_from, overwrite, trust_checkpoint)


def _train(
    cfg: Config, resume_from: str | None, overwrite: bool, trust_checkpoint: bool
) -> nn.Module:
    if resume_from is None and cfg.get('resume'):  # --cfg-options resume=True
        resume_from = cfg.get('load_from') or 'auto'
    restarted = restarted_in(cfg.work_dir)
    if restarted and newest_whole(cfg.work_dir):
        resume_from = 'auto'
    if resume_from is not None:
        resume(cfg, resume_from)
        compare_settings(cfg)
    # What lies in the folder of a restarted job is its own.
    leftovers = 'keep' if restarted else claim_work_dir(cfg, resume_from, overwrite)
    runner = build_runner(cfg, trust_checkpoint)
    _tell_hook(runner, leftovers)
    with _dead_workers_named():
        model = runner.train()
    _end_workers(runner)
    return model


def claim_work_dir(cfg: Config, resume_from: str | None, overwrite: bool) -> str:
    """Check that a run may write to its work directory, before it writes anything.

    Args:
        cfg: Config, after :func:`~eac_mm.apis.resume` if the run is to resume.
        resume_from: As in :func:`train`.
        overwrite: As in :func:`train`.

    Returns:
        What the training does with files of a run that lie there:
        ``SafeCheckpointHook.leftovers``.

    Raises:
        ValueError: If the folder holds another run, or ``overwrite`` would delete
            the weights that this run starts from.
    """
    folder, start = Path(cfg.work_dir), cfg.get('load_from')
    if overwrite:
        if resume_from is not None:
            raise ValueError(
                'to resume goes on with a run, to overwrite deletes it. Fix: give '
                'one of --resume and --overwrite.'
            )
        if start and Path(start).resolve() in [p.resolve() for p in run_files(folder)]:
            raise ValueError(
                f'--overwrite would delete {start}, which this run starts from. Fix: '
                'another --work-dir.'
            )
        return 'remove'
    if resume_from is not None and not cfg.resume:  # no whole checkpoint was there
        _refuse_finished(folder)
        return 'keep'
    if cfg.get('resume') and Path(start).resolve().parent == folder.resolve():
        return 'keep'
    refuse_run_files(folder)
    return 'refuse'


def compare_settings(cfg: Config) -> None:
    """Compare a run's settings with its checkpoint's, before anything is built.

    ``RunIdentityHook`` compares them again, with the data, when the checkpoint is
    loaded. But by then MMEngine has replaced the config in the work directory. A run
    without a seed takes that of its checkpoint.

    Args:
        cfg: Config, after :func:`~eac_mm.apis.resume`; its seed may change.

    Raises:
        ValueError: If the checkpoint belongs to another run.
    """
    if not cfg.get('resume'):
        return
    try:
        then = load_plain(cfg.load_from)
    except (pickle.UnpicklingError, RuntimeError):  # build_runner has the reason
        return
    if 'meta' not in then or 'optimizer' not in then:
        raise ValueError(
            f'{cfg.load_from} holds {list(then)[:4]} ... and no optimiser state to '
            'resume. Fix: resume from epoch_N.pth or iter_N.pth of the run, or start '
            'a new run from these weights: --cfg-options load_from=FILE.'
        )
    then = then['meta'].get('identity')
    if then is None:
        return
    if cfg.get('randomness', {}).get('seed') is None:
        cfg.randomness = dict(cfg.get('randomness') or {}, seed=then['seed'])
    now = describe_settings(cfg.to_dict(), count_processes(cfg.launcher))
    refuse_other_run(then, now, cfg.load_from)


def count_processes(launcher: str) -> int:
    """Return the number of processes, which the launcher tells each of them."""
    name = dict(pytorch='WORLD_SIZE', slurm='SLURM_NTASKS').get(launcher)
    return int(os.environ.get(name, 1)) if name else 1


def _refuse_finished(folder: Path) -> None:
    """Keep a run that found no checkpoint from replacing a finished result.

    A run that was killed before its first checkpoint, or whose checkpoints are all
    damaged, starts anew over what it left.
    """
    path = folder / RESULT
    if path.is_file() and json.loads(path.read_text()).get('finished'):
        raise ValueError(
            f'{folder} holds the result of a finished run and no whole checkpoint to '
            'resume from. Fix: --overwrite to delete it and start anew, or another '
            '--work-dir.'
        )


@contextlib.contextmanager
def _dead_workers_named() -> Iterator[None]:
    """Say that a worker died, where PyTorch says only that its connection ended.

    That is so if it dies while it hands an image over.
    """
    try:
        yield
    except (EOFError, ConnectionError) as error:
        frames = traceback.walk_tb(error.__traceback__)
        names = {frame.f_globals.get('__name__') for frame, _ in frames}
        if 'torch.utils.data.dataloader' not in names:
            raise
        raise RuntimeError(
            'a DataLoader worker died while it handed over an image, as if it had been '
            'killed; the system does so if memory runs out. Fix: resume with fewer '
            'workers: --resume --cfg-options train_dataloader.num_workers=1'
        ) from error


def _end_workers(runner: Runner) -> None:
    """End the workers that wait for a further epoch.

    A loader holds them if they are persistent. Python's cyclic garbage collector,
    which would come to them at some later time, stands still for five seconds for
    each loader until they have ended.
    """
    for loop in (runner._train_loop, runner._val_loop):
        if getattr(getattr(loop, 'dataloader', None), '_iterator', None) is not None:
            loop.dataloader._iterator = None


def _tell_hook(runner: Runner, leftovers: str) -> None:
    hooks = [hook for hook in runner.hooks if isinstance(hook, SafeCheckpointHook)]
    for hook in hooks:
        hook.leftovers = leftovers
    if not hooks and leftovers == 'remove':
        remove_run_files(runner.work_dir)
