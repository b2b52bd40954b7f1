"""A network that trains in a blink, in this process, and is killed by an exception."""

import copy
import json
from itertools import count
from pathlib import Path
from unittest import mock

import torch
from mmengine import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpretrain.registry import DATA_SAMPLERS, DATASETS, METRICS, MODELS
from torch import nn
from torch.utils.data import Dataset, Sampler

import eac_mm  # noqa: F401  registers the hooks

ROOT = Path(__file__).parents[2]
NAMES = count()


class Killed(BaseException):
    """What a kill is here."""


@DATASETS.register_module(force=True)
class ToyFaces(Dataset):
    """20 samples: 5 steps of 4 an epoch."""

    metainfo = dict(classes=('sad', 'happy'))

    def __init__(self, size: int = 20) -> None:
        numbers = torch.Generator().manual_seed(0)
        self.inputs = torch.randn(size, 6, generator=numbers)

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=self.inputs[index], target=float(index % 2))


@DATA_SAMPLERS.register_module(force=True)
class ToyNoSamples(Sampler):
    """Draws nothing."""

    def __init__(self, dataset, shuffle=True, seed=None) -> None: ...

    def __iter__(self):
        return iter(())

    def __len__(self) -> int:
        return 0


@MODELS.register_module(force=True)
class ToyNet(BaseModel):
    """Batch norm and dropout, so that buffers and generators matter."""

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(dropout), nn.Linear(8, 1)
        )

    def forward(self, inputs, target, mode='tensor'):
        output = self.layers(inputs)[:, 0]
        if mode == 'loss':
            return dict(loss=(output - target.to(output)).square().mean())
        return [output]


@METRICS.register_module(force=True)
class ToyScore(BaseMetric):
    """A number that hangs on each bit of the weights and goes up and down."""

    default_prefix = 'accuracy'

    def process(self, data_batch, data_samples) -> None:
        self.results.append(float(data_samples[0].sum()))

    def compute_metrics(self, results) -> dict:
        return dict(top1=round(abs(sum(results)) * 1e4) % 100)


class Learner(Hook):
    """A hook of a user's that learns from the metrics, in its own attributes."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.seen, self.best, self.factor = [], dict(epoch=0), torch.ones(1)
        self.epochs = 0

    def after_train_epoch(self, runner) -> None:
        self.epochs += 1  # after the checkpoint, by its priority

    def after_val_epoch(self, runner, metrics=None) -> None:
        self.seen.append(metrics['accuracy/top1'])
        if self.seen[-1] == max(self.seen):
            self.best['epoch'] = runner.epoch
        self.factor = self.factor * (1 - self.seen[-1] / 1000)
        for group in runner.optim_wrapper.param_groups:
            group['lr'] = 0.02 * float(self.factor) / (1 + self.best['epoch'])


class Kill(Hook):
    """Raise at a moment, such as ``('before_val_epoch', 3)``."""

    priority = 'LOWEST'

    def __init__(self, moment: str, step: int) -> None:
        self.step = step
        setattr(self, moment, self.kill)

    def kill(self, runner, **_) -> None:
        if max(runner.epoch, 1) == self.step or runner.iter == self.step:
            raise Killed


def config(work_dir: Path, **changes) -> Config:
    """The default hooks around the toy network; 6 epochs of 5 steps."""
    cfg = Config.fromfile(ROOT / 'configs/_base_/default_runtime.py')
    loader = dict(
        dataset=dict(type='ToyFaces'),
        batch_size=4,
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='default_collate'),
    )
    cfg.merge_from_dict(
        dict(
            work_dir=str(work_dir),
            log_level='WARNING',
            visualizer=dict(vis_backends=[]),
            model=dict(type='ToyNet'),
            train_dataloader=loader,
            val_dataloader=loader,
            val_evaluator=dict(type='ToyScore'),
            val_cfg=dict(type='ValLoop'),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.02, momentum=0.9)),
        )
    )
    cfg.train_cfg = changes.pop('train_cfg', dict(by_epoch=True, max_epochs=6))
    cfg.merge_from_dict(changes)
    return cfg


def train(cfg: Config, hooks=(), resume: bool = False) -> Runner:
    """Train in this process; return the runner at its end."""
    cfg = copy.deepcopy(cfg)
    cfg.resume = resume
    # A name of its own: MMEngine would hand out the last runner's logger and hub.
    cfg.experiment_name = f'toy_{next(NAMES)}'
    # MMEngine formats the config for each checkpoint, a quarter of a second each.
    with mock.patch.object(Config, 'pretty_text', 'left out'):
        runner = Runner.from_cfg(cfg)
        for hook in hooks:
            runner.register_hook(hook)
        runner.train()
    return runner


def outcome(runner: Runner) -> dict:
    """All that two runs must share to the bit."""
    path = Path(runner.work_dir) / 'result.json'
    result = json.loads(path.read_text())
    for entry in result['epochs']:
        del entry['seconds']
    rates = [group['lr'] for group in runner.optim_wrapper.param_groups]
    weights = {k: v.tolist() for k, v in runner.model.state_dict().items()}
    files = sorted(p.name for p in Path(runner.work_dir).glob('*.pth'))
    return dict(
        weights=weights,
        epochs=result['epochs'],
        finished=result['finished'],
        rates=rates,
        files=files,
        done=(runner.epoch, runner.iter),
        hub=runner.message_hub.runtime_info.get('best_score'),
    )
