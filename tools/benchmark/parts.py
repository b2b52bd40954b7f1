"""What the benchmark measures, part by part."""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import interleave
import made_data
import own_process
from contenders import (
    Builds,
    Setting,
    bare_step,
    loaders,
    maps,
    our_step,
    precisions,
    steps,
)
from mmengine.hooks import Hook
from mmengine.runner import Runner
from own_process import OwnProcess

from eac_mm.apis import build_runner

Seconds = dict[str, list[float]]

LIFE = 5  # rounds that a process is in


def keeps_memory(name: str) -> bool:
    """Whether a contender keeps freed memory: all that is ours, and the bare step."""
    return not name.startswith('released')


def in_turns(builds: Builds, rounds: int, threads: int | None = None) -> Seconds:
    """Measure contenders, each in a process of its own.

    What memory a process happens to have makes it some percent faster or slower
    for as long as it lives; every :data:`LIFE` rounds there are new ones.
    """
    seconds: Seconds = {name: [] for name in builds}
    for done in range(0, rounds, LIFE):
        with ExitStack() as stack:
            processes = {
                name: stack.enter_context(
                    OwnProcess(build, keeps_memory(name), threads)
                )
                for name, build in builds.items()
            }
            measured = interleave.measure(processes, min(LIFE, rounds - done))
        for name, values in measured.items():
            seconds[name] += values
    return seconds


def measure_steps(setting: Setting, folder: Path) -> Seconds:
    """The training step alone."""
    return in_turns(steps(setting, folder), setting.rounds)


def measure_loaders(setting: Setting, folder: Path) -> Seconds:
    """From file or cache to the tensors that the backbone takes, on one core."""
    return in_turns(loaders(setting, folder), 3 * setting.rounds, threads=1)


def measure_maps(setting: Setting, folder: Path) -> Seconds:
    """Attention maps forward and backward."""
    return in_turns(maps(setting), 3 * setting.rounds)


class BareBetween(Hook):
    """Time stretches of iterations, and a turn of the bare step after each.

    Args:
        bare: Returns the seconds of a bare step.
        stretch: Iterations of a stretch. The first of an epoch starts the loader,
            and is left out.
    """

    priority = 'LOWEST'

    def __init__(self, bare: Callable[[], float], stretch: int) -> None:
        self.bare = bare
        self.stretch = stretch
        self.seconds: Seconds = {'iteration': [], 'bare': []}

    def after_train_iter(self, runner: Runner, batch_idx: int, *args, **kwargs) -> None:
        """End a stretch when it is complete, and start the next one."""
        if batch_idx % self.stretch:
            return
        own_process.wait()
        now = time.perf_counter()
        if batch_idx:
            self.seconds['iteration'].append((now - self.mark) / self.stretch)
            self.seconds['bare'].append(self.bare())
        self.mark = time.perf_counter()


def measure_iterations(setting: Setting, folder: Path) -> Seconds:
    """Whole iterations as the Runner executes them, beside a bare step."""
    # A GPU works while the next iterations are launched: it is waited for seldom.
    stretch = 1 if setting.device == 'cpu' else 50
    made_data.make(folder / 'rafdb', (1 + 3 * stretch) * setting.batch)
    seconds = {}
    for precision in precisions():
        amp = precision == 'bfloat16'
        cfg = setting.recipe(folder, amp)
        cfg.train_cfg.max_epochs = 1 + setting.rounds // 3
        runner = build_runner(cfg)
        with OwnProcess(partial(bare_step, setting, folder, amp), True) as bare:
            bare()
            hook = BareBetween(bare, stretch)
            runner.register_hook(hook)
            runner.train()
        seconds[f'eac_mm, {precision}'] = hook.seconds['iteration']
        seconds[f'bare backbone, {precision}'] = hook.seconds['bare']
    return seconds


def measure_memory(setting: Setting, folder: Path) -> dict[str, int]:
    """Bytes: peaks of steps and maps; and a whole process, whose memory is kept or not.

    On Linux with glibc, or a GPU.
    """
    values = {}
    builds = {
        **steps(setting, folder),
        **{f'maps: {name}': build for name, build in maps(setting).items()},
    }
    for name, build in builds.items():
        with OwnProcess(build, keep_memory=False) as process:
            values[name] = process.ask(own_process.peak)
    for keep, how in ((False, 'given back'), (True, 'kept')):
        build = partial(our_step, setting, folder, False)
        with OwnProcess(build, keep) as process:
            values[f'process, memory {how}'] = process.ask(own_process.resident)
    return values


def measure_operations(setting: Setting, folder: Path) -> dict[str, dict[str, float]]:
    """Measure what the time of each step is spent on, in seconds by operation."""
    values = {}
    for name, build in steps(setting, folder).items():
        with OwnProcess(build, keeps_memory(name)) as process:
            values[name] = process.ask(own_process.operations)
    return values


PARTS = dict(
    step=measure_steps,
    iteration=measure_iterations,
    loader=measure_loaders,
    maps=measure_maps,
    memory=measure_memory,
    profile=measure_operations,
)


def run(name: str, setting: Setting) -> dict:
    """Measure one part in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return PARTS[name](setting, Path(folder))
