import contextlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from multiprocessing.reduction import DupFd
from pathlib import Path

import pytest
import torch

from eac_mm.utils.checkpoints import stamps
from eac_mm.utils.signals import exit_on_signal, how_to_go_on, resume_command

ALL = ['SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2']


@pytest.fixture(autouse=True)
def no_signal_is_ignored():
    """As in a terminal: what a shell starts in the background ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize('name', ALL)
def test_one_line_and_the_conventional_status(name, capsys):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as stop, exit_on_signal(lambda: 'epoch_3 is whole.'):
        os.kill(os.getpid(), number)
        time.sleep(5)
    assert stop.value.code == 128 + number
    assert capsys.readouterr().err == f'\nStopped by {name}. epoch_3 is whole.\n'
    assert signal.getsignal(number) is before


def test_no_library_swallows_it_and_later_signals_wait():
    def message():
        os.kill(os.getpid(), signal.SIGTERM)  # as torchrun and Slurm send it
        return ''

    with pytest.raises(SystemExit) as stop, exit_on_signal(message):
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(5)
        except Exception:
            pass
    assert stop.value.code == 138


def test_a_library_that_turns_it_into_an_error_does_not_hide_it(capsys):
    with pytest.raises(SystemExit) as stop, exit_on_signal(lambda: 'go on.'):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except BaseException as error:  # as MMEngine does where it formats a config
            raise SyntaxError('check the syntax') from error
    assert stop.value.code == 143
    assert capsys.readouterr().err == '\nStopped by SIGTERM. go on.\n'


@pytest.mark.parametrize('swallowed', [False, True])
def test_an_error_of_its_own_stays_itself(swallowed):
    with pytest.raises(OSError, match='disk full'), exit_on_signal(lambda: 'go on.'):
        if swallowed:  # the run went on
            with contextlib.suppress(BaseException):
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(5)
        raise OSError('disk full')


def test_a_worker_does_not_report_that_the_main_process_hung_up(capfd):
    def worker():
        shared = DupFd(os.dup(1))  # as a tensor is handed over: by a thread that waits
        with socket.socket(socket.AF_UNIX) as gone:
            gone.connect(shared._id[0])
        os.close(shared.detach())  # the thread has met that end, and goes on
        sys.excepthook(EOFError, EOFError(), None)
        sys.excepthook(OSError, OSError('disk full'), None)

    before = sys.excepthook
    with exit_on_signal(lambda: ''):
        process = multiprocessing.get_context('fork').Process(target=worker)
        process.start()
        process.join(30)
        process.kill()
        sys.excepthook(ConnectionError, ConnectionError('of its own'), None)
    assert process.exitcode == 0
    said = capfd.readouterr().err
    assert said == 'OSError: disk full\nConnectionError: of its own\n'
    assert sys.excepthook is before


@pytest.mark.parametrize('variable', ['RANK', 'SLURM_PROCID'])
def test_only_the_first_process_speaks(variable, capsys, monkeypatch):
    monkeypatch.setenv(variable, '1')
    with pytest.raises(SystemExit), exit_on_signal(lambda: 'hello'):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert capsys.readouterr().err == ''


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        with exit_on_signal(lambda: ''):
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.05)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_other_exceptions_pass():
    with pytest.raises(KeyError), exit_on_signal(lambda: ''):
        raise KeyError


@pytest.mark.parametrize('name', ALL)
def test_forked_workers_do_not_speak(name, capfd):
    number = getattr(signal, name)
    with exit_on_signal(lambda: 'a worker spoke'):
        worker = os.fork()
        if worker == 0:
            time.sleep(0.5)
            os._exit(7)
        time.sleep(0.1)
        os.kill(worker, number)
        status = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    assert status == (-15 if name == 'SIGTERM' else 7)
    assert capfd.readouterr().err == ''


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ('python t.py a.py', 'python t.py a.py --resume'),
        ('t.py a.py --resume --seed 1', 't.py a.py --seed 1 --resume'),
        ('t.py a.py --resume x.pth --amp', 't.py a.py --amp --resume'),
        ('t.py a.py --resume=x.pth --overwrite', 't.py a.py --resume'),
        (
            'GPUS=2 s.sh --cfg-options a=1 b=2',
            'GPUS=2 s.sh --cfg-options a=1 b=2 --resume',
        ),
    ],
)
def test_the_command_to_go_on_with(words, expected):
    assert resume_command(words.split()) == expected


@pytest.fixture
def python(monkeypatch):
    monkeypatch.delenv('EAC_MM_COMMAND', raising=False)
    return Path(sys.executable).name


def test_what_is_whole(tmp_path, monkeypatch, python):
    words = ['tools/train.py', 'my recipe.py']
    command = f"{python} tools/train.py 'my recipe.py'"
    said = how_to_go_on(tmp_path, words)
    assert said.endswith(f'no checkpoint yet; start again with: {command}')
    for epoch in (1, 2):
        torch.save(dict(a=1), tmp_path / f'epoch_{epoch}.pth')
    (tmp_path / 'epoch_3.pth').write_bytes(b'PK cut')
    said = how_to_go_on(tmp_path, words)
    assert said == f'{tmp_path}/epoch_2.pth is whole; go on with: {command} --resume'
    monkeypatch.setenv('EAC_MM_COMMAND', 'GPUS=4 tools/slurm_train.sh gpu job r.py ')
    assert 'GPUS=4 tools/slurm_train.sh gpu job r.py --resume' in how_to_go_on(
        tmp_path, []
    )


@pytest.mark.parametrize('word', ['--overwrite', '--resume=other/epoch_5.pth'])
def test_another_run_s_checkpoint_is_not_gone_on_from(tmp_path, python, word):
    torch.save(dict(a=1), tmp_path / 'epoch_1.pth')
    present = stamps(tmp_path)
    words = ['train.py', 'r.py', word]
    said = how_to_go_on(tmp_path, words, present, 'other/epoch_5.pth')
    assert said == (
        'This run has written no checkpoint yet; start again with: '
        f'{python} train.py r.py {word}'
    )
    # A restarted job, for one, was resumed from what it wrote.
    said = how_to_go_on(tmp_path, words, present, str(tmp_path / 'epoch_1.pth'))
    assert said.endswith(f'is whole; go on with: {python} train.py r.py --resume')
    (tmp_path / 'epoch_1.pth').rename(tmp_path / 'epoch_2.pth')
    torch.save(dict(a=2), tmp_path / 'epoch_1.pth')  # of the same name as the old
    (tmp_path / 'epoch_2.pth').unlink()
    said = how_to_go_on(tmp_path, words, present)
    assert said.endswith(f'is whole; go on with: {python} train.py r.py --resume')


def test_ctrl_c_before_the_training_is_quiet():
    code = (
        'import runpy, sys, builtins\n'
        'def stop(*a, **k): raise KeyboardInterrupt\n'
        'import argparse; argparse.ArgumentParser.parse_args = stop\n'
        "runpy.run_path('tools/train.py', run_name='__main__')"
    )
    command = [sys.executable, '-c', code]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, '')
