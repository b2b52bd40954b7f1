"""A training of some seconds, to be killed and resumed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from forked import Script

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / 'configs' / 'eac' / 'resnet18_syntheticfer_noise30.py'
OPTIONS = {
    'train_dataloader.dataset.dataset.size': 96,
    'val_dataloader.dataset.size': 32,
    'train_dataloader.batch_size': 16,
    'train_cfg.max_epochs': 6,
    'default_hooks.ramp.epochs': 3,
    'default_hooks.checkpoint.max_keep_ckpts': 2,
    'default_hooks.logger.interval': 1,
    'optim_wrapper.type': 'OptimWrapper',
    'randomness.deterministic': True,
    # so that PyTorch's generator matters, too
    'model.backbone.drop_path_rate': 0.2,
    'visualizer.vis_backends': '[]',
}


class Run:
    """A training in a process of its own."""

    def __init__(self, work_dir: Path, **options):
        self.work_dir = work_dir
        self.options = {**OPTIONS, **options}
        self.process = None
        self.others = []  # ranks beside the first, if no torchrun has them

    def start(
        self, *words, processes=1, torchrun=False, **environment
    ) -> Script | subprocess.Popen:
        """Start it; ``words`` are further arguments of tools/train.py.

        Without torchrun, each rank is forked, and spared some seconds of imports.
        """
        options = [f'{key}={value}' for key, value in self.options.items()]
        words = ['--work-dir', str(self.work_dir), *words, '--cfg-options', *options]
        environment = {
            **os.environ,
            'PYTHON': sys.executable,
            'PYTHONPATH': str(ROOT),
            'OMP_NUM_THREADS': '1',
            **environment,
        }
        script = ROOT / 'tools' / 'train.py'
        if torchrun:
            self.process = self._start_torchrun(processes, words, environment)
        elif processes == 1:
            self.process = Script([script, RECIPE, *words], environment)
        else:
            words = ['--launcher', 'pytorch', *words]
            self.process, *self.others = [
                Script([script, RECIPE, *words], {**environment, **rank})
                for rank in ranks_of(processes)
            ]
        return self.process

    def _start_torchrun(self, processes, words, environment) -> subprocess.Popen:
        script = ROOT / 'tools' / 'dist_train.sh'
        return subprocess.Popen(
            [str(script), str(RECIPE), str(processes), *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def steps(self, processes=1) -> int:
        """Return the number of training steps that each process makes."""
        images = self.options['train_dataloader.dataset.dataset.size']
        batch = self.options['train_dataloader.batch_size'] * processes
        return self.options['train_cfg.max_epochs'] * (images // batch)

    def wait_for(self, text: str, timeout: float = 120) -> str:
        """Read its output up to a line with ``text``; return what was read."""
        read, end = [], time.monotonic() + timeout
        for line in self.process.stdout:
            read.append(line)
            if text in line:
                return ''.join(read)
            if time.monotonic() > end:
                break
        raise AssertionError(f'no {text!r} in:\n{"".join(read)[-4000:]}')

    def finish(self, timeout: float = 180) -> str:
        """Wait for its end and return the rest of its output."""
        output, _ = self.process.communicate(timeout=timeout)
        for rank in self.others:
            said, _ = rank.communicate(timeout=timeout)
            assert rank.returncode == self.process.returncode, said[-4000:]
        return output

    def kill(self) -> bool:
        """Kill -9 it and all that it started; return False if it had ended."""
        running = False
        for process in (self.process, *self.others):
            # torchrun gives each rank a session: a signal to a group would not do.
            for pid in [*descendants_of(process.pid), process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    running = True
        for process in (self.process, *self.others):
            process.communicate()
        return running

    def outcome(self) -> tuple[dict, list[dict]]:
        """Final weights, and the metrics of each epoch."""
        last = self.options['train_cfg.max_epochs']
        checkpoint = torch.load(self.work_dir / f'epoch_{last}.pth', weights_only=True)
        result = json.loads((self.work_dir / 'result.json').read_text())
        assert result['finished']
        for entry in result['epochs']:
            entry.pop('seconds')
        result['last_mean'].pop('seconds')
        return checkpoint['state_dict'], [*result['epochs'], result['last_mean']]


def ranks_of(processes: int) -> list[dict[str, str]]:
    """Return the environment that torchrun would give to each rank."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = str(probe.getsockname()[1])
    group = dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=port, WORLD_SIZE=str(processes))
    return [dict(group, RANK=str(n), LOCAL_RANK=str(n)) for n in range(processes)]


def children_of(number: int) -> list[int]:
    """List the processes that a process started."""
    done = subprocess.run(
        ['pgrep', '-P', str(number)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in done.stdout.split()]


def descendants_of(number: int) -> list[int]:
    """List what a process started, and what that started in turn."""
    children = children_of(number)
    return children + [n for child in children for n in descendants_of(child)]


def assert_same(one: Run, other: Run) -> None:
    """Bit-identical weights and metrics."""
    weights, metrics = one.outcome()
    other_weights, other_metrics = other.outcome()
    assert metrics == other_metrics
    assert weights.keys() == other_weights.keys()
    for key, value in weights.items():
        assert torch.equal(value, other_weights[key]), key


@pytest.fixture(scope='session')
def uninterrupted(tmp_path_factory) -> Run:
    """The run as it goes when nothing happens, with one worker."""
    run = Run(tmp_path_factory.mktemp('uninterrupted') / 'run')
    run.start()
    output = run.finish()
    assert run.process.returncode == 0, output[-4000:]
    return run
