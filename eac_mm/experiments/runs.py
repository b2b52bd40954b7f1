"""Run trainings, each with a recipe, a seed and a folder, several at a time."""

import ast
import fcntl
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mmengine import Config

from eac_mm.apis import load_config
from eac_mm.utils import hardware
from eac_mm.utils.files import write_atomically

from .progress import Progress


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        config: File of the recipe.
        seed: Seed of the training.
        work_dir: Its folder, which no other run shares.
        options: Overrides as ``KEY=VALUE``, as for ``tools/train.py``.
        amp: Run in bfloat16.
    """

    config: str
    seed: int
    work_dir: Path
    options: tuple[str, ...] = ()
    amp: bool = False

    @property
    def log(self) -> Path:
        """File of everything that the training prints."""
        return self.work_dir / 'train.log'

    def settings(self) -> Config:
        """Return the config of the training."""
        return load_config(
            self.config, self.options, str(self.work_dir), self.seed, self.amp
        )

    def check_settings(self) -> str:
        """Return all settings, as ``settings.py`` of the folder keeps them.

        Raises:
            ValueError: If the folder holds a run of other settings.
        """
        settings = self.settings()
        path = self.work_dir / 'settings.py'
        if path.is_file() and not _same(path.read_text(), settings.pretty_text):
            raise ValueError(
                f'{self.work_dir} holds a run of other settings than '
                f'{settings.filename} has now (compare {path}). Fix: delete the '
                'folder, or choose another --work-dir.'
            )
        return settings.pretty_text

    def started(self) -> bool:
        """Return whether the folder holds settings to check."""
        return (self.work_dir / 'settings.py').is_file()

    def result(self) -> dict | None:
        """Return the content of ``result.json``, None if the run is not finished."""
        path = self.work_dir / 'result.json'
        result = json.loads(path.read_text()) if path.is_file() else {}
        return result if result.get('finished') else None

    def machines(self) -> list[str]:
        """List the machines that the run was trained on; empty if none were noted."""
        path = self.work_dir / 'machine.txt'
        return path.read_text(encoding='utf-8').splitlines() if path.is_file() else []

    def note_machine(self) -> None:
        """Add this machine to the folder of a run that starts or resumes here."""
        machines = self.machines()
        if hardware.describe() not in machines:
            text = '\n'.join([*machines, hardware.describe()]) + '\n'
            (self.work_dir / 'machine.txt').write_text(text, encoding='utf-8')

    def command(self, script: Path) -> list[str]:
        """Return the command that trains, or resumes an interrupted run."""
        command = [sys.executable, str(script), self.config, '--resume']
        command += ['--work-dir', str(self.work_dir), '--seed', str(self.seed)]
        command += ['--amp'] if self.amp else []
        return command + (['--cfg-options', *self.options] if self.options else [])


class _Portable(ast.NodeTransformer):
    """Leave out what depends on the machine and not on the experiment."""

    def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
        if ast.unparse(node.targets[0]) == 'work_dir':
            return None
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.keyword | None:
        return None if node.arg == 'pin_memory' else self.generic_visit(node)


def _same(one: str, other: str) -> bool:
    """Return whether two texts hold the same settings, whatever the folder."""
    trees = [_Portable().visit(ast.parse(text)) for text in (one, other)]
    return ast.dump(trees[0]) == ast.dump(trees[1])


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


def train(
    run: Run, script: Path, threads: int | None, report: Callable[[str], None]
) -> None:
    """Run a training; everything it prints goes to its log, with its command.

    Args:
        run: What to train.
        script: ``tools/train.py``.
        threads: ``OMP_NUM_THREADS`` if the environment has none.
        report: Gets each line that the training prints.

    Raises:
        RuntimeError: If it fails, with the end of its log.
    """
    command = run.command(script)
    environment = dict(os.environ)
    if threads is not None:
        environment.setdefault('OMP_NUM_THREADS', str(threads))
    with (
        run.log.open('a', encoding='utf-8') as file,
        subprocess.Popen(
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
        raise RuntimeError(f'{tail}\n\nthe training ended with {process.returncode}')


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes of this tool out of a run's folder.

    Raises:
        RuntimeError: If one is in it.
    """
    with (folder / 'lock').open('w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RuntimeError(
                f'another process trains in {folder}. Fix: wait for it, or end it.'
            ) from error
        yield


@dataclass(frozen=True)
class _Trainings:
    """Trains runs one by one, and tells the progress of each."""

    script: Path
    threads: int | None
    progress: Progress

    def start(self, number: int, run: Run, settings: str, epochs: int | None) -> None:
        """Train a run, or resume it.

        Raises:
            RuntimeError: If it fails or leaves no result.
        """
        self.progress.start(number, run.log, epochs)
        try:
            self._train(run, settings, partial(self.progress.read, number))
        finally:
            self.progress.end(number, failed=run.result() is None)

    def _train(self, run: Run, settings: str, report: Callable[[str], None]) -> None:
        write_atomically(run.work_dir / 'settings.py', settings.encode())
        with _alone_in(run.work_dir):
            run.note_machine()
            train(run, self.script, self.threads, report)
        if run.result() is None:
            raise RuntimeError(
                'the training ended without an error, but left no finished result.json'
            )


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
        ValueError: For jobs below 1, or if a folder holds a run of other settings;
            nothing is started then.
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
    settings = [(run, run.check_settings()) for run in wanted]
    todo = [(run, text) for run, text in settings if run.result() is None]
    epochs = [run.settings().get('train_cfg', {}).get('max_epochs') for run, _ in todo]
    progress = Progress([names[run] for run, _ in todo], jobs)
    start = _Trainings(script, threads, progress).start
    with ThreadPoolExecutor(jobs) as pool:
        trainings = [
            (run, pool.submit(start, number, run, text, epochs[number]))
            for number, (run, text) in enumerate(todo)
        ]
        try:
            errors = [(run, training.exception()) for run, training in trainings]
        except BaseException:  # Ctrl+C ends the trainings: do not start the next
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [(run, error) for run, error in errors if error is not None]
