"""A contender in a process of its own, with memory of its own.

In one process, what one contender frees and what it sets would decide how
fast the next one gets its memory.
"""

import ctypes
import multiprocessing
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from eac_mm.utils import hardware

Run = Callable[[], object]

# A short run just after another process's turn is slowed by cold caches and
# sleeping threads; several make up for it.
TURN = 0.2
M_MMAP_THRESHOLD = -3  # of glibc's mallopt


class OwnProcess:
    """Build a contender in a new process, and run it there when called.

    Args:
        build: Builds what is run; it and its arguments can be pickled.
        keep_memory: Keep freed memory, as ``eac_mm`` does when it trains.
        threads: Threads of the CPU. Defaults to None: as many as here.

    Raises:
        RuntimeError: If the contender fails, in building or in running.
    """

    def __init__(
        self, build: Callable[[], Run], keep_memory: bool, threads: int | None = None
    ) -> None:
        # Forked from a server that has imported what takes long, and done nothing;
        # but to import eac_mm is to ask for CUDA, and then no fork may use it.
        method = 'spawn' if torch.cuda.is_available() else 'forkserver'
        context = multiprocessing.get_context(method)
        if method == 'forkserver':
            context.set_forkserver_preload(['eac_mm', 'torchvision.transforms'])
        self.pipe, theirs = context.Pipe()
        threads = threads or torch.get_num_threads()
        arguments = (theirs, build, keep_memory, threads)
        self.process = context.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()
        self._receive()

    def __call__(self) -> float:
        """Seconds of a run; see :func:`seconds`."""
        return self.ask(partial(seconds, turn=TURN))

    def ask(self, question: Callable[[Run], Any]) -> Any:
        """The answer of a function of the contender, called in its process."""
        self.pipe.send(question)
        return self._receive()

    def _receive(self) -> Any:
        try:
            return self.pipe.recv()
        except EOFError:
            self.process.join()
            raise RuntimeError(
                f'a contender died (exit code {self.process.exitcode}); what it said '
                'stands above.'
            ) from None

    def __enter__(self) -> 'OwnProcess':
        return self

    def __exit__(self, *args) -> None:
        self.process.kill()
        self.process.join()


def _serve(pipe: Any, build: Callable[[], Run], keep: bool, threads: int) -> None:
    torch.set_num_threads(threads)
    if keep:
        hardware.keep_freed_memory()
    init_default_scope('mmpretrain')
    if not MMLogger.check_instance_created('mmengine'):
        MMLogger.get_instance('mmengine', log_level='WARNING')
    run = build()
    pipe.send('ready')
    while True:
        pipe.send(pipe.recv()(run))


def wait() -> None:
    """Wait for the GPU, if there is one: its work is launched, not done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(run: Run, turn: float) -> float:
    """How long a run takes, in the mean over ``turn`` seconds of runs."""
    wait()
    runs, start = 0, time.perf_counter()
    while not runs or time.perf_counter() - start < turn:
        run()
        runs += 1
    wait()
    return (time.perf_counter() - start) / runs


def peak(run: Run) -> int:
    """Peak memory of a run in bytes, over what was held before it.

    On a CPU, in a process that does not keep freed memory.
    """
    if not torch.cuda.is_available():
        # Give all but the smallest blocks back when they are freed, so that what
        # was free before does not hide what is taken. glibc's default is 32 MB.
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 2**16)
    run()  # the optimiser's state is held from then on
    if torch.cuda.is_available():
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        return torch.cuda.max_memory_allocated() - before
    Path('/proc/self/clear_refs').write_text('5')  # forget the peak so far
    before = hardware.own_memory('VmRSS')
    run()
    return hardware.own_memory('VmHWM') - before


def resident(run: Run) -> int:
    """Most memory in bytes that the process has had, after some runs."""
    for _ in range(4):
        run()
    return hardware.own_memory('VmHWM')


def operations(run: Run) -> dict[str, float]:
    """Return what a run's time is spent on: seconds by operation, longest first."""
    run()
    with torch.profiler.profile() as profiler:
        run()
        wait()
    on_gpu = torch.cuda.is_available()
    times = {
        event.key: (
            event.self_device_time_total if on_gpu else event.self_cpu_time_total
        )
        / 1e6
        for event in profiler.key_averages()
    }
    return dict(sorted(times.items(), key=lambda item: -item[1]))
