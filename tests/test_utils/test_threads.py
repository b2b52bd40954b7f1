import threading

import pytest

from eac_mm.utils.threads import BATCH, in_threads


def test_the_order_is_kept_and_the_work_is_done_in_batches():
    started, threads = [], set()

    def double(number):
        threads.add(threading.get_ident())
        started.append(number)
        return 2 * number

    size = 2 * BATCH + 3
    results = in_threads(double, iter(range(size)), workers=3)
    assert next(results) == 0
    assert len(started) <= BATCH  # the rest is not begun before it is asked for
    assert list(results) == list(range(2, 2 * size, 2))
    assert len(threads) <= 3


def test_threads_work_at_the_same_time():
    barrier = threading.Barrier(2, timeout=20)
    # Each call waits for the other: one thread alone would end in an error.
    assert sorted(in_threads(lambda _: barrier.wait(), range(2), workers=2)) == [0, 1]


def test_no_items():
    assert list(in_threads(str, [])) == []


def test_an_error_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda x: 1 // x, [1, 0]))
