"""From a config file to a Runner, the same way for training and testing."""

from pathlib import Path

import torch
from mmengine import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from eac_mm import compat

DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def load_config(
    path: str | Path,
    options: dict | None = None,
    work_dir: str | None = None,
    seed: int | None = None,
    amp: bool = False,
    launcher: str = 'none',
) -> Config:
    """Read a config and settle what depends on the command line and machine.

    Args:
        path: Config file (it runs Python: load only files that you trust).
        options: Overrides, as ``--cfg-options`` gives them.
        work_dir: Where logs and checkpoints go. Defaults to the config's
            ``work_dir``, else ``work_dirs/<name of the config>``.
        seed: Seed of the training. Defaults to the config's.
        amp: Run in bfloat16 with channels last.
        launcher: ``'none'``, ``'pytorch'`` or ``'slurm'``.

    Returns:
        A config that ``Runner.from_cfg`` takes.

    Raises:
        FileNotFoundError: Where the config does not exist.
        ValueError: For a negative seed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f'config {path} does not exist (seen from {Path.cwd()}). The recipes are '
            'in configs/, such as configs/eac/resnet18_rafdb_noise30.py.'
        )
    cfg = Config.fromfile(path)
    cfg.launcher = launcher
    if seed is not None:
        if seed < 0:
            raise ValueError(f'seed {seed}: give 0 or more.')
        cfg.setdefault('randomness', {})['seed'] = seed
    if amp:
        cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
        cfg.model.setdefault('data_preprocessor', {})['channels_last'] = True
    if options:
        cfg.merge_from_dict(options)
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / path.stem)
    for name in DATALOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader.setdefault('pin_memory', torch.cuda.is_available())
            if loader.get('num_workers', 0) == 0:  # torch refuses the two together
                loader.persistent_workers = False
    return cfg


def build_runner(cfg: Config) -> Runner:
    """Build the config's runner, on GPUs or CPUs, with one process or many."""
    compat.init_cpu_distributed(cfg)
    if 'runner_type' in cfg:
        return RUNNERS.build(cfg)
    return Runner.from_cfg(cfg)
