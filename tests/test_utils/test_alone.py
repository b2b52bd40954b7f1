import errno
import os
import subprocess
import sys

import pytest
from filelock import FileLock

from eac_mm.utils import alone
from eac_mm.utils.alone import alone_in

HOLD = """
import sys
from eac_mm.utils.alone import alone_in
with alone_in(sys.argv[1]):
    print('in', flush=True)
    sys.stdin.read()
"""
# What a loader worker does whose training was killed: it ends somewhat later.
ORPHAN = """
import os, signal, sys, time
from eac_mm.utils.alone import alone_in
with alone_in(sys.argv[1]):
    if os.fork():
        os.kill(os.getpid(), signal.SIGKILL)
    print('in', flush=True)
    time.sleep(1)
    os._exit(0)
"""


def start(text, folder):
    process = subprocess.Popen(
        [sys.executable, '-c', text, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b'in\n'
    return process


def enter(folder):
    with alone_in(folder):
        return True


def test_the_second_process_is_refused_until_the_first_has_died(tmp_path, monkeypatch):
    folder = tmp_path / 'run'
    with start(HOLD, folder) as process:
        with monkeypatch.context() as patch:
            patch.setattr(alone, 'WAIT', 0.1)
            with pytest.raises(
                RuntimeError, match=r'another process .*run\. Fix: .*\.lock'
            ):
                enter(folder)
            assert enter(tmp_path / 'other')
        process.kill()
        assert enter(folder)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='the system cannot fork')
def test_workers_of_a_killed_training_are_waited_for(tmp_path):
    with start(ORPHAN, tmp_path):
        assert enter(tmp_path)


def test_the_block_frees_the_folder_whatever_happens(tmp_path, monkeypatch):
    monkeypatch.setattr(alone, 'WAIT', 0)
    with pytest.raises(KeyError), alone_in(tmp_path):
        raise KeyError
    assert enter(tmp_path)


def test_a_new_folder_stays_if_something_was_written(tmp_path):
    assert enter(tmp_path / 'empty')
    assert not (tmp_path / 'empty').exists()
    with alone_in(tmp_path / 'run'):
        (tmp_path / 'run' / 'log').touch()
    assert (tmp_path / 'run' / 'log').exists()


def test_a_new_folder_that_another_process_is_in_by_then_stays(tmp_path, monkeypatch):
    folder, release = tmp_path / 'run', FileLock.release

    def come_in(self, *args, **kwargs):
        release(self, *args, **kwargs)
        (folder / 'log').touch()

    monkeypatch.setattr(FileLock, 'release', come_in)
    assert enter(folder)
    assert (folder / 'log').exists()


def test_only_the_first_process_of_a_job_holds_it(tmp_path, monkeypatch):
    monkeypatch.setattr(alone, 'WAIT', 0)
    with alone_in(tmp_path):
        monkeypatch.setenv('RANK', '1')
        with alone_in(tmp_path, 'pytorch'):
            pass
        # It may be a job of separate trainings, such as srun starts.
        with pytest.raises(RuntimeError, match='another process'):
            enter(tmp_path)


@pytest.mark.parametrize(
    'error',
    [
        NotImplementedError(),
        OSError(errno.ENOLCK, 'No locks available'),
        OSError(errno.EOPNOTSUPP, 'Operation not supported'),
    ],
)
def test_a_file_system_without_locks_is_used(error, tmp_path, monkeypatch):
    def acquire(self):
        raise error

    monkeypatch.setattr(FileLock, 'acquire', acquire)
    assert enter(tmp_path)


def test_other_errors_are_not_hidden(tmp_path, monkeypatch):
    def acquire(self):
        raise PermissionError(errno.EACCES, 'Permission denied')

    monkeypatch.setattr(FileLock, 'acquire', acquire)
    with pytest.raises(PermissionError):
        enter(tmp_path)
