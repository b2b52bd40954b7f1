"""From a config file to a Runner, the same way for training and testing."""

import functools
import pickle
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine import Config, ConfigDict
from mmengine.logging import print_log
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from eac_mm.datasets.images import choose_cache, settle_loader
from eac_mm.utils import compat
from eac_mm.utils.checkpoints import damage, intact_checkpoints, refuse_foreign
from eac_mm.utils.options import parse_options
from eac_mm.utils.shipped import find_recipe, nearest_recipe
from eac_mm.weights import DLIB_FACE, convert_for_run, find_dlib_face

from .options import check_options, nest, settle_recipe, warn_of_custom_keys
from .runner import ToolboxRunner
from .strangers import drop_left_behind, refuse_strangers

DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def load_config(
    path: str | Path,
    options: Mapping | Sequence[str] | None = None,
    work_dir: str | None = None,
    seed: int | None = None,
    amp: bool = False,
    launcher: str = 'none',
    cache: str | None = None,
) -> Config:
    """Read a config and settle what depends on the command line and machine.

    Args:
        path: Config file (it runs Python: load only files that you trust), or the name
            of a recipe of this package, such as ``eac/resnet18_rafdb_noise30``.
        options: Overrides by key, or as the words ``KEY=VALUE`` of a command line.
        work_dir: Where logs and checkpoints go. Defaults to the config's
            ``work_dir``, else ``work_dirs/<parent folder of the config>/<config>``.
        seed: Seed of the training. Defaults to the config's.
        amp: Run in bfloat16.
        launcher: ``'none'``, ``'pytorch'`` or ``'slurm'``.
        cache: Where the training images are kept once they are decoded: ``'none'``,
            ``'ram'`` or ``'device'``. Defaults to None: as the config has it.

    Returns:
        A config that ``Runner.from_cfg`` takes.

    Raises:
        FileNotFoundError: If the config does not exist.
        ValueError: For a negative seed, options that nothing reads, a work directory
            that is a file, and a ``cache`` without training data.
    """
    path = _find(Path(path))
    cfg = _read(path)
    settle_recipe(cfg)
    cfg.launcher = launcher
    if seed is not None:
        if seed < 0:
            raise ValueError(f'seed {seed} is negative. Fix: give 0 or more.')
        # MMEngine's setdefault returns what it has not stored.
        cfg.randomness = dict(cfg.get('randomness') or {}, seed=seed)
    if amp:
        _override(cfg, {'optim_wrapper.type': 'BFloat16OptimWrapper'})
    if options:
        pairs = options if isinstance(options, Mapping) else parse_options(options)
        check_options(cfg, dict(pairs))
        _override(cfg, dict(pairs))
    refuse_strangers(cfg)
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', path.absolute().parent.name, path.stem))
    _refuse_file(cfg.work_dir)
    if cache is not None:
        _cache_images(cfg, path, cache)
    for name in DATALOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader.setdefault('pin_memory', torch.cuda.is_available())
            settle_loader(loader)
            if loader.get('num_workers', 0) == 0:  # torch refuses the two together
                loader.persistent_workers = False
    return cfg


def _find(path: Path) -> Path:
    found = find_recipe(path)
    if found is None:
        raise FileNotFoundError(
            f'config {path} does not exist (seen from {Path.cwd()}). Fix: name one of '
            f'the recipes in configs/, such as {nearest_recipe(path)}.'
        )
    return found


def _read(path: Path) -> Config:
    try:
        return Config.fromfile(path)
    except FileNotFoundError as error:
        if error.filename is None:
            raise
        missing = Path(error.filename).resolve()
        raise FileNotFoundError(
            f'{path} needs {missing}, which does not exist. Fix: correct the path; '
            'those of _base_ begin at the folder of the file that names them.'
        ) from None


def _override(cfg: Config, pairs: dict[str, Any]) -> None:
    before = cfg.to_dict()
    nested = nest(pairs)
    _open_nones(cfg._cfg_dict, nested)
    cfg.merge_from_dict(pairs)
    drop_left_behind(cfg, before, nested)


def _open_nones(node: Any, options: dict) -> None:
    """Put a dict where the config has None and options give keys: MMEngine refuses."""
    for key, value in options.items():
        if not isinstance(value, dict):
            continue
        if isinstance(node, list):
            _open_nones(node[int(key)], value)
        elif isinstance(node, dict) and key in node:
            if node[key] is None:
                node[key] = ConfigDict()
            _open_nones(node[key], value)


def _refuse_file(work_dir: str) -> None:
    """Refuse a work directory that cannot be a folder, before anything is built."""
    for path in (Path(work_dir), *Path(work_dir).parents):
        if path.exists() and not path.is_dir():
            raise ValueError(
                f'--work-dir {work_dir}: {path} is a file. Fix: name a folder; it need '
                'not exist.'
            )


def _cache_images(cfg: Config, path: Path, cache: str) -> None:
    if cfg.get('train_dataloader') is None:
        raise ValueError(
            f'cache={cache!r} is for the training images, and {path} has no '
            'train_dataloader. Fix: leave --cache out, or name a recipe that trains.'
        )
    choose_cache(cfg.train_dataloader, cache)


def resume(cfg: Config, checkpoint: str = 'auto') -> None:
    """Set a config up to resume from a checkpoint.

    Args:
        cfg: Config, changed in place.
        checkpoint: A file, or ``'auto'`` for the newest whole one in the work
            directory. Damaged ones are passed over, and the log says so. If there
            is none, the run starts anew.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is damaged, or no checkpoint.
    """
    if checkpoint == 'auto':
        found = None
        for path, fault in intact_checkpoints(cfg.work_dir):
            if fault is None:
                found = str(path)
                break
            print_log(f'{path} is passed over: it is damaged ({fault})', 'current')
        cfg.resume = found is not None
        if found is None:  # load_from stays what a new run starts from
            print_log(f'no checkpoint in {cfg.work_dir}: a new run', 'current')
        else:
            cfg.load_from = found
        return
    if not Path(checkpoint).is_file():
        raise FileNotFoundError(
            f'--resume {checkpoint}: no such file (seen from {Path.cwd()}). Fix: name '
            'a checkpoint, or leave the name out for the newest in the work directory.'
        )
    refuse_foreign(checkpoint)
    fault = damage(checkpoint)
    if fault is not None:
        raise ValueError(
            f'--resume {checkpoint}: the file is damaged ({fault}). Fix: leave the '
            'name out to take the newest whole checkpoint of the work directory.'
        )
    cfg.resume, cfg.load_from = True, checkpoint


def load_plain(path: str | Path) -> Any:
    """Load a file as tensors and plain values alone, and of tensors what is used.

    Raises:
        pickle.UnpicklingError: If it holds anything else.
        RuntimeError: If PyTorch cannot read it.
    """
    mapped = zipfile.is_zipfile(path)  # PyTorch before 1.6 wrote another format
    return torch.load(path, map_location='cpu', weights_only=True, mmap=mapped)


def vet_checkpoint(path: str | Path) -> None:
    """Refuse a checkpoint that holds more than tensors and plain values.

    Unpickling anything else can run code that a stranger put in the file.

    Raises:
        ValueError: Naming what the file holds, and the ways on.
    """
    refuse_foreign(path)
    try:
        load_plain(path)
    except (pickle.UnpicklingError, RuntimeError) as error:
        reason = re.search(r'Unsupported.*?(?= was| by|\.|$)|GLOBAL \S+', str(error))
        raise ValueError(
            f'{path} is refused: it does not load as tensors and plain values alone '
            f'({reason[0] if reason else str(error).splitlines()[0]}), and anything '
            'else in it could run code. Fix: convert it (tools/model_converters), or '
            'pass --trust-checkpoint if you know who made it.'
        ) from None


def build_runner(cfg: Config, trust_checkpoint: bool = False) -> Runner:
    """Build the config's runner, on GPUs or CPUs, with one process or many.

    The process is left as it is, but for a process group if a launcher is set.
    Scripts on a CPU may call :func:`eac_mm.utils.hardware.keep_freed_memory`.

    Args:
        cfg: Config from :func:`load_config`. Another ``runner_type`` than MMEngine's
            Runner is built as it is. A ``load_from`` of ``'dlib-face'`` stands
            for the weights of :func:`~eac_mm.weights.convert_for_run`.
        trust_checkpoint: Unpickle whatever ``load_from`` holds. Defaults to
            False: see :func:`vet_checkpoint`.

    Raises:
        FileNotFoundError: If ``load_from`` does not exist, or its package.
        ValueError: If it holds more than tensors and plain values, or the config has no
            model.
    """
    if cfg.get('model') is None:
        raise ValueError(
            f'{cfg.filename or "the config"} has no model. Fix: begin with a recipe '
            "that has one, such as _base_ = '../eac/resnet18_rafdb_noise30.py'."
        )
    path = cfg.get('load_from')
    if path == DLIB_FACE:
        find_dlib_face()  # before anything is built
    elif path and '://' not in path:
        if not Path(path).is_file():
            raise FileNotFoundError(
                f'load_from={path!r} does not exist (seen from {Path.cwd()}). Fix: '
                'correct the path, or load_from=None to start without it.'
            )
        if not trust_checkpoint:
            vet_checkpoint(path)
    compat.init_cpu_distributed(cfg)
    own = cfg.get('runner_type', 'Runner') == 'Runner'
    build = ToolboxRunner.from_cfg if own else RUNNERS.build
    with compat.weights_only(not trust_checkpoint):
        runner = build(cfg)
    # All that reads files after that: init_cfg's Pretrained, load_from and resume.
    for name in ('_init_model_weights', 'load_checkpoint'):
        if hasattr(runner, name):
            method = _vetted(getattr(runner, name), force=not trust_checkpoint)
            setattr(runner, name, method)
    if path == DLIB_FACE:
        runner.load_checkpoint = _converting(runner)
    warn_of_custom_keys(cfg, runner)
    return runner


def _vetted(method: Callable, force: bool) -> Callable:
    @functools.wraps(method)
    def call(*args, **kwargs) -> Any:
        with compat.weights_only(force):
            return method(*args, **kwargs)

    return call


def _converting(runner: Runner) -> Callable:
    """Return ``runner.load_checkpoint``, which then knows ``'dlib-face'`` as a file."""
    load = runner.load_checkpoint

    @functools.wraps(load)
    def call(filename: str, *args, **kwargs) -> Any:
        if filename == DLIB_FACE:
            filename = str(convert_for_run(runner))
        return load(filename, *args, **kwargs)

    return call
