"""Work in threads, for reading and decoding."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

# Results are yielded after this many, so that memory stays small.
BATCH = 1024


def in_threads(
    function: Callable[[Any], Any], items: Iterable, workers: int | None = None
) -> Iterator:
    """Map in threads: reading and decoding leave Python's lock to others.

    Args:
        function: What to do with each item.
        items: The items.
        workers: Number of threads. Defaults to the CPUs, at most 16.

    Yields:
        The results, in the order of the items.
    """
    items = iter(items)
    workers = workers or min(os.cpu_count() or 1, 16)
    with ThreadPoolExecutor(workers) as pool:
        while batch := list(islice(items, BATCH)):
            yield from pool.map(function, batch)
