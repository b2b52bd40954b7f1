"""What the benchmark measures, part by part."""

import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import interleave
import made_data
import numpy as np
import released
import torch
from mmengine import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpretrain.registry import MODELS, OPTIM_WRAPPERS, OPTIMIZERS
from mmpretrain.structures import DataSample
from torch import Tensor

from eac_mm.apis import build_runner, load_config
from eac_mm.datasets import SeedAugmentation
from eac_mm.engine.hooks.epoch_seed_hook import transforms_of
from eac_mm.models import attention_maps

ROOT = Path(__file__).parents[2]
EAC = ROOT / 'configs/eac/resnet18_rafdb_noise30.py'
CACHES = ('none', 'ram', 'device')


@dataclass
class Setting:
    """Sizes of the benchmark."""

    batch: int = 32
    size: int = 224
    rounds: int = 7
    width: int = 64  # of the ResNet-18's first stage

    @property
    def channels(self) -> int:
        """Channels of the last feature map."""
        return 8 * self.width

    @property
    def device(self) -> str:
        """Where the network runs."""
        return 'cuda' if torch.cuda.is_available() else 'cpu'

    def recipe(self, work_dir: Path, amp: bool, cache: str = 'device') -> Config:
        """The recipe that is measured, on made data in ``work_dir``."""
        scale = (self.size, self.size)
        options = {
            'train_dataloader.dataset.cache': cache,
            'auto_scale_lr.base_batch_size': self.batch,
        }
        cfg = load_config(EAC, options, str(work_dir), amp=amp)
        cfg.model.backbone.update(stem_channels=self.width, base_channels=self.width)
        cfg.model.head.in_channels = self.channels
        cfg.train_dataloader.batch_size = self.batch
        cfg.train_dataloader.dataset.dataset.data_root = str(work_dir / 'rafdb')
        cfg.train_dataloader.dataset.dataset.pipeline[1].scale = scale
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        cfg.default_hooks.checkpoint = None
        cfg.log_level = 'WARNING'
        return cfg

    def images(self, number: int, channels_last: bool) -> Tensor:
        """Random images as the backbone takes them."""
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(number, 3, self.size, self.size, generator=generator)
        images = images.to(self.device)
        if channels_last:
            return images.contiguous(memory_format=torch.channels_last)
        return images

    def labels(self) -> list[int]:
        """A label for each image."""
        return [i % 7 for i in range(self.batch)]


def wrap(cfg: Config, weights: list[Tensor]) -> OptimWrapper:
    """The recipe's optimiser over some weights."""
    optimizer = dict(cfg.optim_wrapper.optimizer)
    return OPTIM_WRAPPERS.build(
        dict(
            type=cfg.optim_wrapper.type,
            optimizer=OPTIMIZERS.build(dict(optimizer, params=weights)),
        )
    )


def bare_step(setting: Setting, cfg: Config) -> Callable[[], None]:
    """Forward, backward and Adam of the backbone alone, on 2N images."""
    torch.manual_seed(0)
    backbone = MODELS.build(cfg.model.backbone).to(setting.device)
    backbone.train()
    wrapper = wrap(cfg, list(backbone.parameters()))
    images = setting.images(
        2 * setting.batch, cfg.model.data_preprocessor.get('channels_last', False)
    )

    def step() -> None:
        with wrapper.optim_context(backbone):
            loss = backbone(images)[-1].mean()
        wrapper.update_params(loss.float())

    return step


def our_step(setting: Setting, cfg: Config) -> Callable[[], None]:
    """The recipe's step, from normalised views on."""
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).to(setting.device).train()
    wrapper = wrap(cfg, list(model.parameters()))
    channels_last = cfg.model.data_preprocessor.get('channels_last', False)
    images = setting.images(2 * setting.batch, channels_last)
    views = list(images.split(setting.batch))
    samples = [
        DataSample().set_gt_label(i).to(setting.device) for i in setting.labels()
    ]

    def step() -> None:
        with wrapper.optim_context(model):
            losses = model(views, samples, mode='loss')
        loss, _ = model.parse_losses(losses)
        wrapper.update_params(loss)

    return step


def released_step(setting: Setting, cfg: Config) -> Callable[[], None]:
    """The released step, from normalised views on."""
    torch.manual_seed(0)
    backbone = MODELS.build(cfg.model.backbone).to(setting.device)
    train = released.Step(backbone, setting.channels, 7)
    views = list(setting.images(2 * setting.batch, False).split(setting.batch))
    labels = torch.tensor(setting.labels(), device=setting.device)
    return lambda: train(views, labels)


def steps(setting: Setting, folder: Path) -> interleave.Contenders:
    """Every step that is compared."""
    single, half = (setting.recipe(folder, amp) for amp in (False, True))
    return {
        'released': released_step(setting, single),
        'bare backbone, float32': bare_step(setting, single),
        'eac_mm, float32': our_step(setting, single),
        'bare backbone, bfloat16': bare_step(setting, half),
        'eac_mm, bfloat16': our_step(setting, half),
    }


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


def endless(batches: object, process: Callable = lambda batch: batch) -> Callable:
    """A function that gives one more batch each time."""

    def forever():
        while True:
            yield from batches

    iterator = forever()
    return lambda: process(next(iterator))


def our_loader(setting: Setting, folder: Path, cache: str) -> Callable:
    """The recipe's loader and data preprocessor, without workers."""
    cfg = setting.recipe(folder, amp=False, cache=cache)
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False, drop_last=True)
    preprocessor = MODELS.build(cfg.model).to(setting.device).data_preprocessor
    batches = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    for transform in transforms_of(batches.dataset, SeedAugmentation):
        transform.set_epoch(0, 0)
    if cache == 'device':
        preprocessor.take_images(batches.dataset)
    return endless(batches, lambda batch: preprocessor(batch, training=True))


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


def map_contenders(setting: Setting, classes: int) -> interleave.Contenders:
    """Both ways to the maps, with the same features and weight."""
    side = max(2, setting.size // 32)
    shape = (setting.batch, setting.channels, side, side)
    torch.manual_seed(0)
    features = torch.randn(shape, device=setting.device, requires_grad=True)
    weight = torch.randn(classes, setting.channels, device=setting.device)

    def run(function: Callable[[Tensor, Tensor], Tensor]) -> None:
        features.grad = None
        function(features, weight).square().mean().backward()

    return {
        'released': lambda: run(released.maps),
        'eac_mm': lambda: run(attention_maps),
    }


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
