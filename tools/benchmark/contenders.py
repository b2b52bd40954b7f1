"""What is compared: steps, loaders and maps.

Each has a function that builds it and gives what runs it once.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import made_data
import numpy as np
import released
import torch
from mmengine import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmpretrain.registry import MODELS, OPTIM_WRAPPERS, OPTIMIZERS
from mmpretrain.structures import DataSample
from own_process import Run
from torch import Tensor
from torch.utils.data import DataLoader

from eac_mm.apis import load_config
from eac_mm.datasets import SeedAugmentation
from eac_mm.datasets.images import CACHES, choose_cache, settle_loader
from eac_mm.datasets.wrappers import transforms_of
from eac_mm.models import attention_maps
from eac_mm.utils import hardware

ROOT = Path(__file__).parents[2]
EAC = ROOT / 'configs/eac/resnet18_rafdb_noise30.py'

Builds = dict[str, Callable[[], Run]]


@dataclass
class Setting:
    """Sizes of the benchmark."""

    batch: int = 32  # pairs of views
    size: int = 224  # pixels of a side
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
            'train_dataloader.dataset.dataset.data_root': str(work_dir / 'rafdb'),
            'auto_scale_lr.base_batch_size': self.batch,
        }
        cfg = load_config(EAC, options, str(work_dir), amp=amp)
        cfg.train_dataloader.dataset.dataset.pipeline[1].scale = scale
        choose_cache(cfg.train_dataloader, cache)
        settle_loader(cfg.train_dataloader)
        cfg.model.backbone.update(stem_channels=self.width, base_channels=self.width)
        cfg.model.head.in_channels = self.channels
        cfg.train_dataloader.batch_size = self.batch
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


def precisions() -> tuple[str, ...]:
    """Those that this machine has."""
    if torch.cuda.is_available() or hardware.has_fast_bfloat16():
        return 'float32', 'bfloat16'
    return ('float32',)


def wrap(cfg: Config, weights: list[Tensor]) -> OptimWrapper:
    """The recipe's optimiser over some weights."""
    optimizer = dict(cfg.optim_wrapper.optimizer)
    return OPTIM_WRAPPERS.build(
        dict(
            type=cfg.optim_wrapper.type,
            optimizer=OPTIMIZERS.build(dict(optimizer, params=weights)),
        )
    )


def bare_step(setting: Setting, folder: Path, amp: bool) -> Run:
    """Forward, backward and Adam of the backbone alone, on 2N images."""
    cfg = setting.recipe(folder, amp)
    torch.manual_seed(0)
    backbone = MODELS.build(cfg.model.backbone).to(setting.device)
    backbone.train()
    wrapper = wrap(cfg, list(backbone.parameters()))
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    images = setting.images(2 * setting.batch, preprocessor.channels_last)

    def step() -> None:
        with wrapper.optim_context(backbone):
            loss = backbone(images)[-1].mean()
        wrapper.update_params(loss.float())

    return step


def our_step(setting: Setting, folder: Path, amp: bool) -> Run:
    """The recipe's step, from normalised views on."""
    cfg = setting.recipe(folder, amp)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).to(setting.device).train()
    wrapper = wrap(cfg, list(model.parameters()))
    channels_last = model.data_preprocessor.channels_last
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


def released_step(setting: Setting, folder: Path) -> Run:
    """The released step, from normalised views on."""
    cfg = setting.recipe(folder, amp=False)
    torch.manual_seed(0)
    backbone = MODELS.build(cfg.model.backbone).to(setting.device)
    train = released.Step(backbone, setting.channels, 7)
    views = list(setting.images(2 * setting.batch, False).split(setting.batch))
    labels = torch.tensor(setting.labels(), device=setting.device)
    return lambda: train(views, labels)


def steps(setting: Setting, folder: Path) -> Builds:
    """Every step that is compared."""
    builds = {'released': partial(released_step, setting, folder)}
    for precision in precisions():
        amp = precision == 'bfloat16'
        builds[f'bare backbone, {precision}'] = partial(bare_step, setting, folder, amp)
        builds[f'eac_mm, {precision}'] = partial(our_step, setting, folder, amp)
    return builds


def endless(batches: object, process: Callable = lambda batch: batch) -> Run:
    """A function that gives one more batch each time."""

    def forever():
        while True:
            yield from batches

    iterator = forever()
    return lambda: process(next(iterator))


def released_loader(setting: Setting, paths: list[Path], labels: list[int]) -> Run:
    """The released loader, without workers."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    pairs = released.Pairs(paths, labels, setting.size)
    return endless(DataLoader(pairs, setting.batch, shuffle=True, drop_last=True))


def our_loader(setting: Setting, folder: Path, cache: str) -> Run:
    """The recipe's loader and data preprocessor, without workers."""
    cfg = setting.recipe(folder, amp=False, cache=cache)
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False, drop_last=True)
    preprocessor = MODELS.build(cfg.model).to(setting.device).data_preprocessor
    batches = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    for transform in transforms_of(batches.dataset, SeedAugmentation):
        transform.set_epoch(0, 0)
    return endless(batches, lambda batch: preprocessor(batch, training=True))


def loaders(setting: Setting, folder: Path) -> Builds:
    """Every way from files to tensors that is compared."""
    paths, labels = made_data.make(folder / 'rafdb', 8 * setting.batch)
    builds = {'released': partial(released_loader, setting, paths, labels)}
    for cache in CACHES:
        name = f'eac_mm, cache={cache!r}'
        builds[name] = partial(our_loader, setting, folder, cache)
    return builds


def maps_step(setting: Setting, classes: int, ours: bool) -> Run:
    """Attention maps and the gradient of their mean square.

    The features are laid out as each one's backbone gives them.
    """
    side = max(2, setting.size // 32)
    shape = (setting.batch, setting.channels, side, side)
    torch.manual_seed(0)
    features = torch.randn(shape, device=setting.device)
    if ours:
        features = features.contiguous(memory_format=torch.channels_last)
    features.requires_grad_()
    weight = torch.randn(classes, setting.channels, device=setting.device)
    function = attention_maps if ours else released.maps

    def run() -> None:
        function(features, weight).square().mean().backward()
        features.grad = None  # so that a peak holds it

    return run


def maps(setting: Setting) -> Builds:
    """Both ways to the maps at each number of classes."""
    return {
        f'{name}, {classes} classes': partial(maps_step, setting, classes, ours)
        for classes in (7, 100, 200)
        for name, ours in (('released', False), ('eac_mm', True))
    }
