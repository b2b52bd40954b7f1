import sys

import pytest

from eac_mm.experiments.processes import Processes

SLEEP = [sys.executable, '-c', 'import time; time.sleep(60)']


def test_all_end_and_no_other_starts():
    processes = Processes()
    with processes.start([sys.executable, '-c', '']) as ended:
        assert ended.wait() == 0
    with processes.start(SLEEP) as first, processes.start(SLEEP) as second:
        processes.end()
        assert first.wait(30) != 0
        assert second.wait(30) != 0
    with pytest.raises(RuntimeError, match='not started'):
        processes.start(SLEEP)
