"""Scripts in processes forked from one that has imported the package already.

Importing PyTorch and MMPretrain takes four to five seconds of a core, and the tests
start some sixty processes. multiprocessing's fork server imports them once; what is
forked from it is a process of its own in every other way.
"""

import io
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from spared import spare_repetition

_context = multiprocessing.get_context('forkserver')
_context.set_forkserver_preload(['eac_mm'])


class Script:
    """A Python script that runs, with the interface of ``subprocess.Popen``.

    Args:
        words: The script's file and its arguments.
        environment: All of its environment.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self.args = [str(word) for word in words]
        ours, theirs = _context.Pipe(duplex=False)
        self._process = _context.Process(
            target=_run, args=(self.args, dict(environment), theirs)
        )
        self._process.start()
        theirs.close()
        self.pid = self._process.pid
        self.stdout = os.fdopen(os.dup(ours.fileno()), encoding='utf-8')
        ours.close()

    @property
    def returncode(self) -> int | None:
        """Exit status, minus the signal that killed it, None while it runs."""
        return self._process.exitcode

    poll = returncode.fget

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: If it goes on for longer.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Read the rest of its output, and wait for its end."""
        end = threading.Timer(timeout or 3600, os.killpg, (self.pid, signal.SIGKILL))
        end.daemon = True
        end.start()
        with self.stdout:
            output = self.stdout.read()
        self.wait(30)
        end.cancel()
        return output, None


def _run(words: list[str], environment: dict[str, str], output) -> None:
    os.setsid()
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    output.close()
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(os.fdopen(n, 'wb', 0), encoding='utf-8', write_through=True)
        for n in (1, 2)
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(int(environment.get('OMP_NUM_THREADS', '1')))
    spare_repetition()
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).parent))
    runpy.run_path(words[0], run_name='__main__')
