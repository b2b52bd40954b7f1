"""Show how far several trainings are, from the lines that they log."""

import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from .times import about, duration

# Lines of MMEngine's log: Epoch(train) [2][ 50/157], Iter(train) [ 50/900].
EPOCH = re.compile(r'Epoch\((train|val)\) +\[ *(\d+)\]\[ *(\d+)/(\d+)\]')
ITER = re.compile(r'Iter\(train\) +\[ *(\d+)/(\d+)\]')
ACCURACY = re.compile(r'\((?:train|val)\).* accuracy/top1: ([\d.]+)')
# What a reader of the progress has to know; the rest of the log stays in its file.
NOTES = re.compile(r'noisy labels differ from|- (WARNING|ERROR) -')
# Warnings of the packages below, which no user can do anything about.
HARMLESS = re.compile('deprecated')


@dataclass
class _Run:
    """What is known of a run.

    Attributes:
        name: Its name.
        place: Such as ``'epoch 7 of 20'``.
        accuracy: Such as ``'accuracy 54.1 %'``; empty before the first validation.
        share: Share of the training that is done, 0 to 1.
        epochs: Number of epochs; None if unknown.
        printed: The last epoch that has a line of its own.
        start: When the run began here.
        first: When it first said how far it is, and its share then; a resumed run
            does not begin at 0.
        seconds: How long it took here; None before it ends.
    """

    name: str
    place: str = 'starting'
    accuracy: str = ''
    share: float = 0.0
    epochs: int | None = None
    printed: int = 0
    start: float | None = None
    first: tuple[float, float] | None = None
    seconds: float | None = None

    @property
    def running(self) -> bool:
        """Whether it has begun and not ended."""
        return self.start is not None and self.seconds is None

    def left(self, now: float) -> float | None:
        """Estimate the seconds that are left; None if it is too early to say."""
        if self.first is None or self.share <= self.first[1]:
            return None
        pace = (now - self.first[0]) / (self.share - self.first[1])
        return pace * (1 - self.share)


class Progress:
    """Show one line for each training that runs, and how long all will take.

    On a terminal the lines are updated in place. Elsewhere (a pipe, CI) a line is
    printed once an epoch at most. Warnings and the measured noise are printed once,
    whichever runs log them. May be called from several threads.

    Args:
        names: Names of the runs, in the order in which they start.
        jobs: How many run at a time. Defaults to 1.
        stream: Where to write. Defaults to ``sys.stdout``.
        clock: Returns seconds. Defaults to ``time.monotonic``.
    """

    def __init__(
        self,
        names: Sequence[str],
        jobs: int = 1,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runs = [_Run(name) for name in names]
        self._jobs = jobs
        self._stream = stream or sys.stdout
        self._clock = clock
        self._live = self._stream.isatty()
        self._drawn = 0
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def start(self, number: int, log: object, epochs: int | None) -> None:
        """Say that a run starts.

        Args:
            number: Place of the run among the names.
            log: File of all that it prints.
            epochs: Number of its epochs; None if it does not count them.
        """
        with self._update():
            run = self._runs[number]
            run.start, run.epochs = self._clock(), epochs
            self._print(f'{self._head(number)}  starts  (log: {log})')

    def read(self, number: int, line: str) -> None:
        """Take in a line of a run's log."""
        if not any(kind.search(line) for kind in (NOTES, EPOCH, ITER, ACCURACY)):
            return
        run = self._runs[number]
        with self._update():
            if NOTES.search(line) and not HARMLESS.search(line):
                self._note(number, line.split(' - ')[-1].strip())
            place = self._take(run, line)
            if place is not None and not self._live:
                epoch, is_validation = place
                # Without validations an epoch gets its line when the next begins.
                if epoch > run.printed + (not is_validation):
                    run.printed = epoch if is_validation else epoch - 1
                    whole = self._all_runs()
                    more = f' ({whole})' if whole else ''
                    self._print(self._line(number) + more)

    def end(self, number: int, fault: str = '') -> None:
        """Say that a run has ended.

        Args:
            number: Place of the run among the names.
            fault: Such as ``'failed'``. Defaults to none.
        """
        with self._update():
            run = self._runs[number]
            run.seconds = self._clock() - run.start
            outcome = fault or f'done in {duration(run.seconds)}'
            parts = [self._head(number), outcome, *filter(None, [run.accuracy])]
            self._print('  '.join(parts))

    def _take(self, run: _Run, line: str) -> tuple[int, bool] | None:
        """Note how far a run is; return epoch and kind of a line that says so."""
        if accuracy := ACCURACY.search(line):
            run.accuracy = f'accuracy {float(accuracy[1]):.1f} %'
        if found := EPOCH.search(line):
            epoch, step, steps = map(int, found.groups()[1:])
            is_validation = found[1] == 'val'
            of = f' of {run.epochs}' if run.epochs else ''
            run.place = f'epoch {epoch}{of}'
            if run.epochs:
                done = epoch if is_validation else epoch - 1 + step / steps
                run.share = done / run.epochs
        elif found := ITER.search(line):
            step, steps = map(int, found.groups())
            epoch, is_validation = step, True  # a line each time that it is logged
            run.place, run.share = f'iteration {step} of {steps}', step / steps
        else:
            return None
        if run.first is None:
            run.first = (self._clock(), run.share)
        return epoch, is_validation

    def _note(self, number: int, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._print(f'{self._head(number)}  {text}')

    def _head(self, number: int) -> str:
        return f'run {number + 1} of {len(self._runs)}  {self._runs[number].name}'

    def _line(self, number: int) -> str:
        """Return the progress of a run: place, accuracy, time left."""
        run = self._runs[number]
        parts = [self._head(number), run.place, *filter(None, [run.accuracy])]
        left = run.left(self._clock())
        if left is not None:
            parts.append(f'{about(left)} left')
        return '  '.join(parts)

    def _all_runs(self) -> str | None:
        """Say how long all runs take; None if it is too early or one is left."""
        if sum(run.seconds is None for run in self._runs) < 2:
            return None
        total = self._total(self._clock())
        return None if total is None else f'all runs: {about(total)} left'

    def _total(self, now: float) -> float | None:
        """Estimate the seconds left for all runs, from those that have begun."""
        left = [run.left(now) for run in self._runs if run.running]
        if None in left:
            return None
        known = [run.seconds for run in self._runs if run.seconds is not None]
        known += [now - run.start + run.left(now) for run in self._runs if run.running]
        waiting = sum(run.start is None for run in self._runs)
        ahead = sum(left) + waiting * sum(known) / len(known)
        return max(*left, ahead / min(self._jobs, len(left) + waiting), 0.0)

    def _print(self, text: str) -> None:
        self._stream.write(f'{text}\n')

    @contextmanager
    def _update(self) -> Iterator[None]:
        """Take the lines of a terminal away, and draw them anew in the end."""
        with self._lock:
            if self._drawn:
                self._stream.write(f'\x1b[{self._drawn}A\x1b[J')
                self._drawn = 0
            try:
                yield
            finally:
                if self._live:
                    self._draw()
                self._stream.flush()

    def _draw(self) -> None:
        running = [i for i, run in enumerate(self._runs) if run.running]
        lines = [*map(self._line, running), self._all_runs() if running else None]
        width = shutil.get_terminal_size().columns - 1
        for line in filter(None, lines):
            self._print(line[:width])  # one that wraps would be two to take away
            self._drawn += 1
