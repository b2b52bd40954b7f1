"""Short trainings of a method in this process, on synthetic faces."""

import json
from pathlib import Path

import pytest
from mmengine import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from torch import equal, save

from eac_mm.apis import build_runner, load_config

SAMPLES = 24
OPTIONS = {
    'train_dataloader.dataset.dataset.size': SAMPLES,
    'val_dataloader.dataset.size': 8,
    'train_dataloader.batch_size': 8,
    'train_dataloader.num_workers': 0,
    'val_dataloader.num_workers': 0,
    'train_cfg.max_epochs': 2,
    'model.backbone.drop_path_rate': 0.2,  # so that PyTorch's generator matters
    'optim_wrapper.type': 'OptimWrapper',
    'default_hooks.logger.interval': 1,
    'log_processor.window_size': 1,
    'log_level': 'ERROR',
}


class At(Hook):
    """Call a function at the start of a step."""

    priority = 'LOWEST'

    def __init__(self, step, function):
        self.step, self.function = step, function

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.step:
            self.function(runner)


class Killed(BaseException):
    """What a kill is here."""


def kill(runner):
    raise Killed


def train(recipe, work_dir, *hooks, without=(), resume=None, **options):
    """Train two epochs of three steps; return the runner at its end.

    Args:
        recipe: One for synthetic faces.
        work_dir: Where its files go.
        *hooks: More of them.
        without: Names of default hooks that are left out.
        resume: Checkpoint in ``work_dir`` that it goes on with.
        **options: Overrides beside :data:`OPTIONS`.
    """
    work_dir = Path(work_dir)
    cfg = load_config(recipe, {**OPTIONS, **options}, str(work_dir))
    name = f'{work_dir.parent.name}_{work_dir.name}'
    cfg.experiment_name = f'{name}_{Path(recipe).stem}_{resume is not None}'
    if resume is not None:
        cfg.resume, cfg.load_from = True, str(work_dir / resume)
    for hook in without:
        cfg.default_hooks.pop(hook)
    with pytest.MonkeyPatch.context() as patch:
        # Both take longer than the training.
        patch.setattr(Runner, '_log_env', lambda *args: None)
        patch.setattr(Config, 'pretty_text', property(str))
        runner = build_runner(cfg)
        for hook in hooks:
            runner.register_hook(hook)
        runner.train()
    return runner


def losses_of(runner):
    """The losses of each step, as logged."""
    log = next(Path(runner.work_dir).glob('*/vis_data/scalars.json'))
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    return [{k: v for k, v in r.items() if 'loss' in k} for r in rows if 'loss' in r]


def assert_same(one, other):
    """Bit-identical weights and buffers."""
    one, other = one.model.state_dict(), other.model.state_dict()
    assert one.keys() == other.keys()
    for key, value in one.items():
        assert equal(value, other[key]), key


def start_from_backbone(recipe, folder, look=lambda runner, weights: None, **options):
    """Start a training from the weights of a backbone, and compare before a step.

    Args:
        recipe: As of :func:`train`.
        folder: For the weights and the run.
        look: Called with the runner and the weights, for what a method asserts more.
        **options: Overrides; ``more_weights`` are further entries of the file.
    """
    weights = MODELS.build(load_config(recipe).model.backbone).state_dict()
    file = {f'backbone.{key}': value for key, value in weights.items()}
    file.update(options.pop('more_weights', {}))
    save(dict(state_dict=file), folder / 'backbone.pth')

    def compare(runner):
        found = runner.model.backbone.state_dict()
        assert found.keys() == weights.keys()
        for key, value in found.items():
            assert equal(value, weights[key]), key
        look(runner, weights)
        kill(runner)

    options['load_from'] = str(folder / 'backbone.pth')
    with pytest.raises(Killed):
        train(recipe, folder / 'run', At(0, compare), **options)
