"""Tell one run from another: the settings, seed and data that decide its result.

An identity is a dict of plain values. Two runs with equal identities would give the
same result, up to what machines and libraries differ in. The rules:

- Of the config, only what MMEngine's Runner trains and validates with counts, after
  ``_base_`` and overrides are resolved. Not counted: work directory, logging,
  visualization, launcher, device, checkpoints, ``load_from``, testing, loader workers
  and memory, a cache in RAM, hooks that decide nothing (:data:`WATCHING`), and where
  files lie (:data:`PLACES`; the fingerprint sees what is in them).
- The batch counts over all processes: 2 processes with 16 images are 1 with 32.
- More or fewer epochs are the same run, longer or shorter.
- A changed schedule is the same run, for MMEngine resumes that of the checkpoint.
- The validation data is compared if both runs validate. How often they validate and
  what they measure may differ, as may the memory layout and the file of the first
  weights (:data:`PASSING`).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .plain import to_plain

COUNTED = (
    'model',
    'data_preprocessor',
    'train_dataloader',
    'val_dataloader',
    'val_evaluator',
    'val_cfg',
    'train_cfg',
    'optim_wrapper',
    'param_scheduler',
    'auto_scale_lr',
    'default_hooks',
    'custom_hooks',
    'sync_bn',
)
LOADER = (
    'batch_size',
    'num_workers',
    'persistent_workers',
    'pin_memory',
    'pin_memory_device',
    'prefetch_factor',
    'timeout',
    'multiprocessing_context',
    'worker_init_fn',
)
PLACES = (
    'ann_file',
    'annotators',
    'backend_args',
    'data_prefix',
    'data_root',
    'file_client_args',
    'img_prefix',
    'lazy_init',
    'noise_column',
    'noise_file',
    'serialize_data',
)
# Wrappers that give the same samples, bit by bit, as without.
TRANSPARENT = ('RAMCache',)
WATCHING = (
    'CheckpointFormatHook',
    'CheckpointHook',
    'CurrentEpochHook',
    'DeferredRuntimeInfoHook',
    'EmptyCacheHook',
    'ExactResumeHook',
    'FiniteLossHook',
    'IterTimerHook',
    'LoggerHook',
    'MemorisationHook',
    'PreflightHook',
    'ProfilerHook',
    'ResultHook',
    'RunIdentityHook',
    'RuntimeInfoHook',
    'SafeCheckpointHook',
    'SampleStateHook',
    'SignalHook',
    'TrainingRecorderHook',
    'VisualizationHook',
)
SCHEDULE = ('settings.param_scheduler', 'settings.auto_scale_lr')
RATE = '.lr'
VALIDATION = ('val_dataloader', 'val_evaluator', 'val_cfg')
# What leaves the training as it is, though the identity names it.
PASSING = re.compile(
    r'settings\.(train_cfg\.(val_interval|val_begin|dynamic_intervals)|val_evaluator.*'
    r'|(model\.)?data_preprocessor\.channels_last'
    r'|model\.(.+\.)?init_cfg(\.\d+)?\.checkpoint|model\.teacher_weights)'
)
SHOWN = 120


class Differences(NamedTuple):
    """How two runs differ.

    Attributes:
        result: A line ``key: then -> now`` for each setting that changes the result.
        schedule: The same for the schedule, which resuming takes from the checkpoint.
    """

    result: list[str]
    schedule: list[str]


def describe_settings(cfg: dict, processes: int = 1, seed: int | None = None) -> dict:
    """Return the identity of a run without its data.

    Args:
        cfg: The Runner's config, resolved.
        processes: Number of processes that train.
        seed: Seed of the training. Defaults to the config's; None if it has none.

    Returns:
        Plain values: ``settings`` (nested like the config), ``seed``, and
        ``batch_size`` over all processes.
    """
    plain = to_plain(dict(cfg))
    settings = {key: plain[key] for key in COUNTED if plain.get(key) is not None}
    batch = (settings.get('train_dataloader') or {}).get('batch_size')
    if seed is None:
        seed = (plain.get('randomness') or {}).get('seed')
    if 'train_dataloader' in settings:
        settings['train_dataloader'] = _without(settings['train_dataloader'], LOADER)
    if 'val_dataloader' in settings:  # how it is batched changes no metric
        settings['val_dataloader'] = dict(dataset=plain['val_dataloader']['dataset'])
    for name in ('train_dataloader', 'val_dataloader'):
        if name in settings:
            settings[name]['dataset'] = _data(settings[name].get('dataset'))
    if 'train_cfg' in settings:
        lengths = ('max_epochs', 'max_iters')
        settings['train_cfg'] = _without(settings['train_cfg'], lengths)
    if 'optim_wrapper' in settings:
        settings['optim_wrapper'] = _without_kernels(settings['optim_wrapper'])
    if not settings.get('auto_scale_lr', {}).get('enable'):
        settings.pop('auto_scale_lr', None)
    hooks = settings.get('default_hooks', {})
    settings['default_hooks'] = {k: h for k, h in hooks.items() if _decides(h)}
    hooks = settings.get('custom_hooks', [])
    settings['custom_hooks'] = [h for h in hooks if _decides(h)]
    return dict(
        settings=settings, seed=seed, batch_size=batch and int(batch) * processes
    )


def first_weights(cfg: dict) -> list[str]:
    """Name the files of weights that a new training starts from, without folders.

    Args:
        cfg: The Runner's config; not that of a run that resumes, whose
            ``load_from`` is its own checkpoint.
    """
    found = [cfg.get('load_from')]
    parts = [dict(cfg.get('model') or {})]
    while parts:
        part = parts.pop()
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            if key in ('checkpoint', 'teacher_weights'):
                found.append(value)
            elif isinstance(value, dict | list | tuple):
                parts.append(value)
    return sorted({Path(str(file)).name for file in found if file})


def compare(then: dict, now: dict) -> Differences:
    """Compare two identities.

    Args:
        then: Identity of the run that a checkpoint belongs to.
        now: Identity of the run that wants to resume it. What either leaves out
            (its data, a seed of None) is not compared.
    """
    then, now = _comparable(then, now), _comparable(now, then)
    result, schedule = [], []
    for key, old, new in _walk('', then, now):
        if PASSING.fullmatch(key):
            continue
        goes_on = key.startswith(SCHEDULE) or (
            key.startswith('settings.optim_wrapper.') and key.endswith(RATE)
        )
        line = f'{key.removeprefix("settings.")}: {_show(old)} -> {_show(new)}'
        (schedule if goes_on else result).append(line)
    return Differences(result, schedule)


def refuse_other_run(then: dict, now: dict, path: str) -> list[str]:
    """Refuse to resume the checkpoint of another run.

    Args:
        then: Identity in the checkpoint.
        now: Identity of the run.
        path: The checkpoint, for the message.

    Returns:
        What differs in the schedule.

    Raises:
        ValueError: With everything else that differs.
    """
    found = compare(then, now)
    if found.result:
        lines = '\n  '.join(found.result)
        raise ValueError(
            f'{path} belongs to another run. What differs (then -> now):\n  {lines}\n'
            'Fix: resume with the settings and data it was trained with; for a new run '
            'choose another --work-dir, or --overwrite.'
        )
    return found.schedule


def with_schedule_of(then: dict, now: dict) -> dict:
    """Return an identity with the schedule of another one, equal in all else."""
    names = ('param_scheduler', 'auto_scale_lr', 'optim_wrapper')
    old = {k: v for k, v in then['settings'].items() if k in names}
    return {**now, 'settings': {**_without(now['settings'], names), **old}}


def _comparable(one: dict, other: dict) -> dict:
    """Return what of one identity the other says something about, too."""
    kept = {k: v for k, v in one.items() if v is not None and other.get(k) is not None}
    settings = dict(kept.get('settings', {}))
    if 'val_dataloader' not in other.get('settings', {}):
        settings = _without(settings, VALIDATION)
    data, others = kept.get('data'), other.get('data')
    if data is not None and others is not None:
        kept['data'] = {k: v for k, v in data.items() if k in others}
    return {**kept, 'settings': settings}


def _walk(path: str, then: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """Visit the smallest parts that differ; None and absent are the same."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*then, *(key for key in now if key not in then)]:
            inner = f'{path}.{key}' if path else str(key)
            yield from _walk(inner, then.get(key), now.get(key))
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        if not any(isinstance(item, dict | list) for item in [*then, *now]):
            if then != now:
                yield path, then, now
            return
        for index, pair in enumerate(zip(then, now, strict=True)):
            yield from _walk(f'{path}.{index}', *pair)
    elif then != now:
        yield path, then, now


def _show(value: Any) -> str:
    if value is None:
        return 'not set'
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        value = [item.get('type', item) for item in value]
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else f'{text[:SHOWN]} ...'


def _without(value: dict, names: tuple[str, ...]) -> dict:
    return {key: item for key, item in value.items() if key not in names}


def _data(value: Any) -> Any:
    """Leave out where data lies and how it is kept in memory."""
    if isinstance(value, list):
        return [_data(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _name(value) in TRANSPARENT and 'dataset' in value:
        return _data(value['dataset'])
    return {key: _data(item) for key, item in value.items() if key not in PLACES}


def _without_kernels(value: Any) -> Any:
    """Leave out how an optimiser's step is computed."""
    if isinstance(value, dict):
        kernels = ('fused', 'foreach', 'capturable')
        return {k: _without_kernels(v) for k, v in _without(value, kernels).items()}
    return value


def _decides(hook: dict | None) -> bool:
    return hook is not None and _name(hook) not in WATCHING


def _name(config: dict) -> str:
    """Return the class that a config builds, without its registry's scope."""
    return str(config.get('type')).rpartition('.')[2]
