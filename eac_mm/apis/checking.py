"""Check a config: build all of it, and list every problem before any training."""

import contextlib
import difflib
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpretrain.registry import (
    DATASETS,
    HOOKS,
    METRICS,
    MODELS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
)
from torch import nn

from eac_mm.weights import DLIB_FACE

from .launch import DATALOADERS, build_runner, load_config


class Problem(NamedTuple):
    """A problem of a config.

    Attributes:
        place: Where it is, such as ``'train_dataloader.dataset'``.
        text: What is wrong, and mostly how to fix it.
        stops: Whether a training would stop. False for a warning.
    """

    place: str
    text: str
    stops: bool = True


class _Passed(BaseException):
    """A training passed all checks; not an ``Exception``, so that nothing takes it."""


class _Stop(Hook):
    """End a training where its first step would be."""

    priority = 'LOWEST'

    def before_train(self, runner: Any) -> None:
        raise _Passed


def check(
    path: str | Path, options: Sequence[str] | None = None
) -> tuple[Config | None, list[Problem]]:
    """Build all parts of a config, and list what is wrong with them.

    Each part is built by itself, so that a mistake in one hides none in another:
    data sets, model, hooks, optimiser, schedules and metrics. If all are sound, a
    training runs up to its first step in a folder of its own: weights are loaded, and
    the losses are computed on a few samples. Images are not read, but for these: see
    :func:`eac_mm.audit.survey_split`.

    Args:
        path: Config file, or the name of a recipe.
        options: Overrides, as the words ``KEY=VALUE`` of a command line.

    Returns:
        The config, None if it cannot be loaded, and the problems, without repetition.

    Examples:
        >>> from eac_mm.apis import check
        >>> cfg, problems = check('eac/resnet18_rafdb_noise30')
    """
    problems = _Problems()
    cfg = None
    logger = MMLogger.get_current_instance()
    with problems.warnings_of(logger), problems.at('config'):
        cfg = load_config(path, options)
    if cfg is not None:
        init_default_scope(cfg.get('default_scope', 'mmpretrain'))
        _build_parts(cfg, problems)
        if not any(problem.stops for problem in problems.found):
            with problems.at('training'):
                _rehearse(cfg, problems)
    return cfg, list(dict.fromkeys(problems.found))


class _Problems:
    """Collect problems of several places."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, place: str, text: str, stops: bool = True) -> None:
        """Add a problem; one of the same text at another place is the same one."""
        if text not in [problem.text for problem in self.found]:
            self.found.append(Problem(place, text, stops))

    @contextlib.contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Collect what is raised as a problem of this place."""
        try:
            yield
        except Exception as error:
            text = str(error)
            # A message that names its fix speaks for itself.
            self.add(
                place, text if 'Fix:' in text else f'{type(error).__name__}: {text}'
            )

    @contextlib.contextmanager
    def warnings_of(
        self, logger: logging.Logger, place: str = 'config'
    ) -> Iterator[None]:
        """Collect the warnings that a logger is given, in place of showing them."""
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: self.add(place, record.getMessage(), stops=False)
        others, logger.handlers = logger.handlers, [handler]
        try:
            yield
        finally:
            logger.handlers = others


def _build_parts(cfg: Config, problems: _Problems) -> None:
    """Build each part by itself."""
    for name in DATALOADERS:
        loader = cfg.get(name)
        if loader is not None:
            _try(problems, f'{name}.dataset', DATASETS.build, loader.get('dataset'))
    model = _try(problems, 'model', MODELS.build, cfg.get('model'))
    for name, hook in [
        *(cfg.get('default_hooks') or {}).items(),
        *enumerate(cfg.get('custom_hooks') or []),
    ]:
        if isinstance(hook, dict):
            _try(problems, f'hook {name}', HOOKS.build, hook)
    for name in ('val_evaluator', 'test_evaluator'):
        for i, metric in enumerate(_listed(cfg.get(name))):
            _try(problems, f'{name}.{i}', METRICS.build, metric)
    # Without a model, the settings of the optimiser are tried on a layer.
    _build_optimiser(cfg, nn.Linear(1, 1) if model is None else model, problems)
    _find_weights(cfg, problems)


def _build_optimiser(cfg: Config, model: nn.Module, problems: _Problems) -> None:

    def build(wrapper: Config) -> OptimWrapper:
        kind = (wrapper.get('optimizer') or {}).get('type')
        if isinstance(kind, str) and OPTIMIZERS.get(kind) is None:
            # MMEngine's error does not name it.
            names = {*OPTIMIZERS.module_dict, *OPTIMIZERS.parent.module_dict}
            (near,) = difflib.get_close_matches(kind, names, 1, 0)
            raise ValueError(
                f'optimizer.type={kind!r}: there is no such optimizer. Fix: {near}'
            )
        return build_optim_wrapper(model, wrapper)

    built = _try(problems, 'optim_wrapper', build, cfg.get('optim_wrapper'))
    optimiser = getattr(built, 'optimizer', None)
    for i, scheduler in enumerate(_listed(cfg.get('param_scheduler'))):
        if optimiser is not None and isinstance(scheduler, dict):
            config = dict(scheduler, optimizer=optimiser)
            config.pop('convert_to_iter_based', None)  # the runner's to settle
            _try(problems, f'param_scheduler.{i}', PARAM_SCHEDULERS.build, config)


def _find_weights(cfg: Config, problems: _Problems) -> None:
    """Look for the files of weights that the training or a part of the model needs."""
    wanted = {'load_from': cfg.get('load_from')}
    for place, config in _dicts(cfg.get('model'), 'model'):
        if config.get('type') == 'Pretrained':
            wanted[f'{place}.checkpoint'] = config.get('checkpoint')
    for place, path in wanted.items():
        a_file = path and path != DLIB_FACE and '://' not in path
        if a_file and not Path(path).is_file():
            problems.add(
                place,
                f'{path} does not exist (seen from {Path.cwd()}). Fix: correct the '
                'path, or None to start without it.',
            )


def _rehearse(cfg: Config, problems: _Problems) -> None:
    """Run a training up to its first step, in a folder that is removed afterwards."""
    cfg = cfg.copy()
    cfg.log_level = 'ERROR'
    cfg.visualizer = None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        cfg.work_dir = folder
        runner = build_runner(cfg)
        runner.register_hook(_Stop())
        with (
            contextlib.suppress(_Passed),
            problems.warnings_of(runner.logger, 'training'),
        ):
            runner.train()


def _try(
    problems: _Problems, place: str, build: Callable[[Any], Any], config: Any
) -> Any:
    """Build from a config; return None if there is none or it fails."""
    if config is None:
        return None
    with problems.at(place):
        return build(config)
    return None


def _listed(config: Any) -> list:
    if config is None:
        return []
    return list(config) if isinstance(config, list | tuple) else [config]


def _dicts(config: Any, place: str) -> Iterator[tuple[str, dict]]:
    """Yield every dict in a config with its place."""
    if isinstance(config, dict):
        yield place, config
        for key, value in config.items():
            yield from _dicts(value, f'{place}.{key}')
    elif isinstance(config, list | tuple):
        for i, value in enumerate(config):
            yield from _dicts(value, f'{place}.{i}')
