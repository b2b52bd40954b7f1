"""A function in the two processes of a group, as distributed training runs it."""

import multiprocessing
import tempfile
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from torch import Tensor, distributed, nn

_context = multiprocessing.get_context('fork')


def in_two_processes(function: Callable, *args: Any, timeout: float = 60) -> list:
    """Call ``function(rank, *args)`` in two processes of a gloo group.

    Both are forked from this one: what a test replaced is replaced in them, and what
    they replace stays theirs.

    Returns:
        What the function returned in each process, in the order of the ranks.

    Raises:
        AssertionError: If it raised in a process, or did not end in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        pipes = [_context.Pipe(duplex=False) for _ in range(2)]
        processes = [
            _context.Process(target=_run, args=(rank, folder, theirs, function, args))
            for rank, (_, theirs) in enumerate(pipes)
        ]
        try:
            for process in processes:
                process.start()
            for _, theirs in pipes:
                theirs.close()  # so that a process that dies ends the waiting
            found = [_receive(ours, timeout) for ours, _ in pipes]
        finally:
            for process in processes:
                process.join(5)
                process.kill()
    errors = [error for _, error in found if error]
    if errors:  # of both: one that fails fails the other in what they do together
        raise AssertionError('\n'.join(errors))
    return [result for result, _ in found]


class Losses(nn.Module):
    """Let ``DistributedDataParallel`` call the ``loss`` of a head or model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, *args: Any) -> dict[str, Tensor]:
        return self.model.loss(*args)


def _run(rank: int, folder: str, pipe: Connection, function: Callable, args) -> None:
    distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2
    )
    try:
        pipe.send((function(rank, *args), None))
    except Exception:
        pipe.send((None, traceback.format_exc()))
    distributed.destroy_process_group()


def _receive(pipe: Connection, timeout: float) -> tuple[Any, str | None]:
    if not pipe.poll(timeout):
        return None, f'A process has not ended after {timeout} s.'
    try:
        return pipe.recv()
    except EOFError:
        return None, 'A process died.'
