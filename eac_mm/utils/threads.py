"""Map a function over items in threads, for reading and decoding files."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

# Items are handed to the threads in batches of this size, to bound memory.
BATCH = 1024


def in_threads(
    function: Callable[[Any], Any], items: Iterable, workers: int | None = None
) -> Iterator:
    """Map a function over items in threads, and keep their order.

    Reading and decoding release Python's global lock, so that threads help.

    Args:
        function: Applied to each item.
        items: The items.
        workers: Number of threads. Defaults to the number of CPUs, at most 16.

    Yields:
        The results, in the order of the items.
    """
    items = iter(items)
    workers = workers or min(os.cpu_count() or 1, 16)
    with ThreadPoolExecutor(workers) as pool:
        while batch := list(islice(items, BATCH)):
            yield from pool.map(function, batch)
