"""Processes that several threads start, and that end together."""

import subprocess
from collections.abc import Sequence
from threading import Lock


class Processes:
    """Start processes from several threads, until all are ended at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._started: list[subprocess.Popen] = []
        self._ended = False

    def start(self, command: Sequence[str], **options) -> subprocess.Popen:
        """Start a process.

        Args:
            command: The program and its arguments.
            **options: Of :class:`subprocess.Popen`.

        Raises:
            RuntimeError: After :meth:`end`.
        """
        with self._lock:  # end() finds it started, or keeps it from starting
            if self._ended:
                raise RuntimeError('not started: a signal ends all trainings')
            process = subprocess.Popen(command, **options)
            self._started.append(process)
        return process

    def end(self) -> None:
        """Ask all processes to end (SIGTERM), and start no other one from now on."""
        with self._lock:
            self._ended = True
            for process in self._started:
                process.terminate()  # does nothing to one that has ended
