"""Run trainings, each with a recipe, a seed and a folder, several at a time."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mmengine import Config

from eac_mm.apis import load_config
from eac_mm.utils.signals import SIGNALS

from .processes import Processes
from .progress import Progress
from .records import (
    differences,
    read_result,
    settings_in,
    settings_of,
    write_record,
)


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        config: File of the recipe.
        seed: Seed of the training.
        work_dir: Its folder, which no other run shares.
        options: Overrides as ``KEY=VALUE``, as for ``tools/train.py``; ``{seed}`` in
            them stands for the seed.
        amp: Run in bfloat16.
        record: File that keeps its result once it is finished
            (:func:`~eac_mm.experiments.records.write_record`); then it is not trained
            again, whatever is in its folder. None for no such file.
    """

    config: str
    seed: int
    work_dir: Path
    options: tuple[str, ...] = ()
    amp: bool = False
    record: Path | None = None

    @property
    def log(self) -> Path:
        """File of everything that the training prints."""
        return self.work_dir / 'train.log'

    @property
    def overrides(self) -> tuple[str, ...]:
        """The options with the seed filled in."""
        return tuple(o.replace('{seed}', str(self.seed)) for o in self.options)

    def settings(self) -> Config:
        """Return the config of the training."""
        return load_config(
            self.config, self.overrides, str(self.work_dir), self.seed, self.amp
        )

    def result(self) -> dict | None:
        """Return its record or ``result.json``, None if the run is not finished."""
        result = read_result(self._source())
        return result if result and result['finished'] else None

    def collect(self) -> None:
        """Write the record of a finished run that has none."""
        result = self.result()
        if result is None or self.record is None or self.record.is_file():
            return
        recipe = Path(self.config).resolve()
        command = dict(
            recipe=f'{recipe.parent.name}/{recipe.stem}',
            options=list(self.options),
            amp=self.amp,
        )
        write_record(self.record, command, result)

    def outdated(self) -> str | None:
        """Say what differs if record or folder hold a run of other settings."""
        path = self._source()
        result = read_result(path)
        if result is None:
            return None
        lines = differences(settings_in(result), settings_of(self.settings()))
        if not lines:
            return None
        inner = '\n  '.join(lines)
        return (
            f'{path} is of other settings than {self.config} with seed {self.seed} has '
            f'now (then -> now):\n  {inner}'
        )

    def _source(self) -> Path:
        recorded = self.record is not None and self.record.is_file()
        return self.record if recorded else self.work_dir / 'result.json'

    def command(self, script: Path) -> list[str]:
        """Return the command that trains, or resumes an interrupted run."""
        command = [sys.executable, str(script), self.config, '--resume']
        command += ['--work-dir', str(self.work_dir), '--seed', str(self.seed)]
        command += ['--amp'] if self.amp else []
        return command + (['--cfg-options', *self.overrides] if self.options else [])


def refuse_outdated(runs: Iterable[Run]) -> None:
    """Refuse runs whose records or folders hold runs of other settings.

    Raises:
        ValueError: With all that differs.
    """
    found = [text for run in dict.fromkeys(runs) if (text := run.outdated())]
    if found:
        text = '\n'.join(found)
        raise ValueError(
            f'{text}\nResults of other settings are never mixed. Fix: give the '
            'settings that they were made with; or remove the file, and for a '
            'result.json its folder, to train anew; or choose another folder '
            '(--work-dir, for records --out).'
        )


def short_names(runs: Sequence[Run]) -> list[str]:
    """Name each run by its method, and by what else tells it from the others.

    Runs that differ in the seed alone share a name. It has the folder of the recipe
    and, as far as needed, the recipe and the options that not all runs have.
    """
    shared = set.intersection(*(set(run.options) for run in runs)) if runs else set()

    def parts(run: Run) -> tuple[str, str, str]:
        path = Path(run.config)
        own = [option for option in run.options if option not in shared]
        return path.resolve().parent.name, path.stem, ' '.join(own)

    ways = (
        lambda method, recipe, options: method,
        lambda method, recipe, options: f'{method} {options}'.strip(),
        lambda method, recipe, options: f'{method}/{recipe}',
        lambda method, recipe, options: f'{method}/{recipe} {options}'.strip(),
    )
    found = [parts(run) for run in runs]
    for way in ways:
        names = {of_run: way(*of_run) for of_run in found}
        if len(set(names.values())) == len(names):
            break
    return [names[of_run] for of_run in found]


# What a process ends with after a signal: of itself, or by exit_on_signal.
STOPPED = {status for n in SIGNALS for status in (-n, 128 + n)}


class Interrupted(RuntimeError):
    """A training that a signal ended, and that can be resumed."""


def outcome(error: BaseException) -> str:
    """Return in one word how a training ended that gave no result."""
    return 'stopped' if isinstance(error, Interrupted) else 'failed'


def train(
    run: Run,
    script: Path,
    threads: int | None,
    report: Callable[[str], None],
    processes: Processes,
) -> None:
    """Run a training; everything it prints goes to its log, with its command.

    Args:
        run: What to train.
        script: ``tools/train.py``.
        threads: ``OMP_NUM_THREADS`` if the environment has none.
        report: Gets each line that the training prints.
        processes: Starts the process of the training.

    Raises:
        RuntimeError: If it fails, with the end of its log, or all were ended.
        Interrupted: If a signal ended it.
    """
    command = run.command(script)
    environment = dict(os.environ)
    environment.pop('EAC_MM_COMMAND', None)  # what this process was called with
    if threads is not None:
        environment.setdefault('OMP_NUM_THREADS', str(threads))
    with (
        run.log.open('a', encoding='utf-8') as file,
        processes.start(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        ) as process,
    ):
        file.write(f'$ {shlex.join(command)}\n')
        for line in process.stdout:
            file.write(line)
            report(line)
    if process.returncode:
        tail = '\n'.join(run.log.read_text(encoding='utf-8').splitlines()[-30:])
        kind = Interrupted if process.returncode in STOPPED else RuntimeError
        raise kind(f'{tail}\n\nthe training ended with {process.returncode}')


@dataclass(frozen=True)
class _Trainings:
    """Trains runs one by one, and tells the progress of each."""

    script: Path
    threads: int | None
    progress: Progress
    processes: Processes = field(default_factory=Processes)

    def start(self, number: int, run: Run, epochs: int | None) -> None:
        """Train a run, or resume it.

        Raises:
            RuntimeError: If it fails or leaves no result.
        """
        self.progress.start(number, run.log, epochs)
        try:
            self._train(run, partial(self.progress.read, number))
        except BaseException as error:
            self.progress.end(number, outcome(error))
            raise
        self.progress.end(number)

    def _train(self, run: Run, report: Callable[[str], None]) -> None:
        run.work_dir.mkdir(parents=True, exist_ok=True)
        train(run, self.script, self.threads, report, self.processes)
        if run.result() is None:
            raise RuntimeError(
                'the training ended without an error, but left no finished result.json'
            )
        run.collect()


def run_all(
    runs: Sequence[Run], script: Path, jobs: int = 1
) -> list[tuple[Run, BaseException]]:
    """Train what is not finished; a failure does not stop the other runs.

    Args:
        runs: All runs that are wanted, finished or not; duplicates train once.
        script: ``tools/train.py``.
        jobs: Number of trainings at a time; they share the cores.

    Returns:
        The runs that failed, each with its error.

    Raises:
        ValueError: For jobs below 1, or if a record or folder holds a run of other
            settings; nothing is started then.
    """
    if jobs < 1:
        raise ValueError(
            f'--jobs {jobs}: not a number of trainings. Fix: give 1 or more.'
        )
    # Several trainings that each take every core slow each other to a crawl.
    threads = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else None
    wanted = list(dict.fromkeys(runs))
    names = zip(wanted, short_names(wanted), strict=True)
    names = {run: f'{name} seed {run.seed}' for run, name in names}
    refuse_outdated(wanted)
    todo = [run for run in wanted if run.result() is None]
    epochs = [run.settings().get('train_cfg', {}).get('max_epochs') for run in todo]
    progress = Progress([names[run] for run in todo], jobs)
    trainer = _Trainings(script, threads, progress)
    with ThreadPoolExecutor(jobs) as pool:
        try:
            trainings = [
                (run, pool.submit(trainer.start, number, run, epochs[number]))
                for number, run in enumerate(todo)
            ]
            errors = [(run, training.exception()) for run, training in trainings]
        except BaseException:  # a signal: the trainings end with this process
            pool.shutdown(wait=False, cancel_futures=True)
            trainer.processes.end()
            raise
    return [(run, error) for run, error in errors if error is not None]
