"""Show how far a tool is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn


@contextmanager
def progress_bar(
    title: str, total: int | None, stream: TextIO | None = None
) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on standard error while the block runs.

    Args:
        title: What is done.
        total: Number of steps; None if it is unknown.
        stream: Where to write. Defaults to None: standard error.

    Yields:
        A function that counts steps: ``step(1)``.
    """
    console = Console(file=stream, stderr=stream is None)
    kinds = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*kinds, console=console) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)
