"""What the benchmark measures, part by part."""

import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import interleave
import made_data
import numpy as np
import released
import torch
from contenders import (
    Setting,
    bare_step,
    endless,
    map_contenders,
    our_loader,
    our_step,
    released_step,
    steps,
)
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from eac_mm.apis import build_runner
from eac_mm.datasets.caching import CACHES


def step(setting: Setting, folder: Path) -> dict:
    """The training step alone."""
    return interleave.measure(steps(setting, folder), setting.rounds)


class BareBetween(Hook):
    """Time whole iterations, and a bare step after each of them."""

    priority = 'LOWEST'

    def __init__(self, bare: Callable[[], None]) -> None:
        self.bare = bare
        self.seconds: dict[str, list[float]] = {'iteration': [], 'bare': []}
        self.mark: float | None = None

    def after_train_iter(self, runner: Runner, *args, **kwargs) -> None:
        """Note the iteration that ends here, unless it is the epoch's first."""
        interleave.wait()
        now = time.perf_counter()
        self.bare()
        interleave.wait()
        after = time.perf_counter()
        if self.mark is not None:
            self.seconds['iteration'].append(now - self.mark)
            self.seconds['bare'].append(after - now)
        self.mark = time.perf_counter()

    def after_train_epoch(self, runner: Runner) -> None:
        """The first iteration of an epoch starts the loader; it is left out."""
        self.mark = None


def iteration(setting: Setting, folder: Path) -> dict:
    """A whole iteration as the Runner executes it, beside a bare step."""
    made_data.make(folder / 'rafdb', 4 * setting.batch)
    seconds = {}
    for precision, amp in (('float32', False), ('bfloat16', True)):
        cfg = setting.recipe(folder, amp)
        cfg.train_cfg.max_epochs = 1 + setting.rounds // 3
        runner = build_runner(cfg)
        hook = BareBetween(bare_step(setting, cfg))
        runner.register_hook(hook)
        runner.train()
        seconds[f'eac_mm, {precision}'] = hook.seconds['iteration']
        seconds[f'bare backbone, {precision}'] = hook.seconds['bare']
    return seconds


def loader(setting: Setting, folder: Path) -> dict:
    """From file or cache to the tensors that the backbone takes, on one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    paths, labels = made_data.make(folder / 'rafdb', 8 * setting.batch)
    contenders = {}
    pairs = released.Pairs(paths, labels, setting.size)
    contenders['released'] = endless(
        torch.utils.data.DataLoader(
            pairs, setting.batch, shuffle=True, num_workers=0, drop_last=True
        )
    )
    for cache in CACHES:
        contenders[f'eac_mm, cache={cache!r}'] = our_loader(setting, folder, cache)
    try:
        return interleave.measure(contenders, 3 * setting.rounds)
    finally:
        torch.set_num_threads(threads)


def maps(setting: Setting, folder: Path) -> dict:
    """Attention maps forward and backward, at 7, 100 and 200 classes."""
    seconds = {}
    for classes in (7, 100, 200):
        contenders = {
            f'{name}, {classes} classes': run
            for name, run in map_contenders(setting, classes).items()
        }
        seconds.update(interleave.measure(contenders, 3 * setting.rounds))
    return seconds


def memory(setting: Setting, folder: Path) -> dict:
    """Peak memory in bytes over what was held before, each in a fresh process."""
    peaks = {}
    for name in steps(setting_of_nothing(), folder):
        peaks[name] = peak(setting, folder, 'step', name)
    for classes in (7, 100, 200):
        for name in ('released', 'eac_mm'):
            peaks[f'maps: {name}, {classes} classes'] = peak(
                setting, folder, classes, name
            )
    return peaks


def setting_of_nothing() -> Setting:
    """The smallest setting, where only names are asked for."""
    return Setting(batch=2, size=64, rounds=1, width=16)


def peak(setting: Setting, folder: Path, what: str | int, name: str) -> int:
    """Peak memory of one contender, in a process of its own."""
    context = multiprocessing.get_context('spawn')
    with context.Pool(1) as pool:
        threads = torch.get_num_threads()
        return pool.apply(_peak, (setting, folder, what, name, threads))


def _peak(
    setting: Setting, folder: Path, what: str | int, name: str, threads: int
) -> int:
    torch.set_num_threads(threads)
    init_default_scope('mmpretrain')
    if what == 'step':
        builders = dict(released=released_step, bare=bare_step, eac_mm=our_step)
        cfg = setting.recipe(folder, amp='bfloat16' in name)
        run = builders[name.split(',')[0].split()[0]](setting, cfg)
    else:
        run = map_contenders(setting, what)[name]
    run()  # the optimiser's state is held from then on
    if torch.cuda.is_available():
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        return torch.cuda.max_memory_allocated() - before
    Path('/proc/self/clear_refs').write_text('5')  # forget the peak so far
    before = _resident('VmRSS')
    run()
    return _resident('VmHWM') - before


def _resident(key: str) -> int:
    """Resident memory of this process in bytes, now (VmRSS) or at its peak."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def profile(setting: Setting, folder: Path) -> dict:
    """Where the time of our bfloat16 step goes, in seconds by operation."""
    run = our_step(setting, setting.recipe(folder, amp=True))
    run()
    with torch.profiler.profile() as profiler:
        run()
        interleave.wait()
    on_gpu = torch.cuda.is_available()
    times = {
        event.key: (
            event.self_device_time_total if on_gpu else event.self_cpu_time_total
        )
        / 1e6
        for event in profiler.key_averages()
    }
    return dict(sorted(times.items(), key=lambda item: -item[1]))


PARTS = dict(
    step=step,
    iteration=iteration,
    loader=loader,
    maps=maps,
    memory=memory,
    profile=profile,
)


def run(name: str, setting: Setting) -> dict:
    """Measure one part in a folder of its own."""
    init_default_scope('mmpretrain')
    random.seed(0)
    np.random.seed(0)
    if not MMLogger.check_instance_created('mmengine'):
        MMLogger.get_instance('mmengine', log_level='WARNING')
    with tempfile.TemporaryDirectory() as folder:
        return PARTS[name](setting, Path(folder))
