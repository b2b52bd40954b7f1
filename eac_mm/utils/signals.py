"""Exit with one line when a signal stops a training."""

import contextlib
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from .checkpoints import newest_whole, stamps

# Ctrl-C, kill and Slurm's preemption, and what users set for Slurm's --signal.
SIGNALS = (signal.SIGINT, signal.SIGTERM) + tuple(
    getattr(signal, name) for name in ('SIGUSR1', 'SIGUSR2') if hasattr(signal, name)
)


class Stopped(BaseException):
    """A signal came; not an ``Exception``, so that few libraries swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def exit_on_signal(message: Callable[[], str]) -> Iterator[None]:
    """Turn a signal into one line on stderr and the exit status 128 + its number.

    Only scripts should use it: it sets the handlers of this process until the block
    ends. In a job of several processes, only the first one speaks. Signals that
    the process ignores, as under nohup, stay ignored; so do further signals while
    it stops. Workers forked within the block don't report that this process is gone.

    Args:
        message: Called when a signal came; its text follows the signal's name.

    Raises:
        SystemExit: After a signal, with 130 for SIGINT, 143 for SIGTERM and so on.
    """
    owner, before = os.getpid(), {}

    def stop(number: int, frame: object) -> None:
        if os.getpid() != owner:  # a worker, forked with this handler
            if number == signal.SIGTERM:
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)
            return  # the main process ends its workers
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        if hasattr(signal, 'SIGCHLD'):  # PyTorch raises when a worker stops, too
            before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        raise Stopped(number)

    try:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, stop)
        with _quiet_workers():
            yield
    except BaseException as error:
        stopped = _behind(error)
        if stopped is None:
            raise
        _end(stopped.number, message)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _quiet_workers() -> Iterator[None]:
    """Let no worker forked within the block report that this process is gone.

    A worker hands its images over in a thread, and a stopped process hangs up in the
    middle of that.
    """
    owner, show = os.getpid(), sys.excepthook

    def show_other(kind: type, error: BaseException, trace: object) -> None:
        if os.getpid() == owner or not isinstance(error, (ConnectionError, EOFError)):
            show(kind, error, trace)

    sys.excepthook = show_other
    try:
        yield
    finally:
        sys.excepthook = show


def _behind(error: BaseException | None) -> Stopped | None:
    """Return the signal that led to an error, as of a library that caught it."""
    while error is not None and not isinstance(error, Stopped):
        error = error.__cause__ or error.__context__
    return error


def _end(number: int, message: Callable[[], str]) -> NoReturn:
    if is_first_process():
        name = signal.Signals(number).name
        print(f'\nStopped by {name}. {message()}', file=sys.stderr, flush=True)
    if int(os.environ.get('WORLD_SIZE', 1)) > 1:
        # Taking down a process group would wait for processes that are gone.
        os._exit(128 + number)
    raise SystemExit(128 + number) from None


def is_first_process() -> bool:
    """Whether this is the job's first process, before or after the group is made."""
    environment = os.environ
    return environment.get('RANK', environment.get('SLURM_PROCID', '0')) == '0'


def how_to_go_on(
    work_dir: str | Path,
    argv: Sequence[str],
    present: Iterable[tuple] = (),
    resumed: str | None = None,
) -> str:
    """Name the newest whole checkpoint of this run and the command that resumes it.

    A run that has no checkpoint yet starts again with the command it was given:
    another run's checkpoint may lie in the folder, or be what this one resumes.

    Args:
        work_dir: Work directory of the run.
        argv: The script and its arguments. ``EAC_MM_COMMAND``, which the shell
            scripts in tools/ set to what they were called with, goes before it.
        present: :func:`~eac_mm.utils.checkpoints.stamps` of the work directory from
            before the run. Defaults to none.
        resumed: The checkpoint that this run was resumed from. Defaults to None.
    """
    words = shlex.split(os.environ.get('EAC_MM_COMMAND', ''))
    words = words or [Path(sys.executable).name, *argv]
    written = {path for path, *_ in stamps(work_dir).difference(present)}
    newest = newest_whole(work_dir)
    source = resumed and Path(resumed).resolve()
    if newest and (newest in written or newest.resolve() == source):
        return f'{newest} is whole; go on with: {resume_command(words)}'
    return (
        f'This run has written no checkpoint yet; start again with: {shlex.join(words)}'
    )


def resume_command(words: Sequence[str]) -> str:
    """A command line with ``--resume`` in place of what it said about resuming."""
    kept, value_follows = [], False
    for word in words:
        if value_follows and not word.startswith('-'):
            value_follows = False
            continue
        value_follows = word == '--resume'
        if not value_follows and word != '--overwrite' and word[:9] != '--resume=':
            kept.append(word)
    return shlex.join([*kept, '--resume'])
