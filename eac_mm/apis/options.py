"""Refuse settings that do not fit a config, and name the nearest that do."""

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

from mmengine import Config
from mmengine.logging import print_log
from mmengine.runner import Runner

from . import parameters

NEAR = 0.8  # similarity of two names from which one is taken for the other's typo
DELETE = '_delete_'
ALWAYS = {DELETE, '_scope_', 'type'}


class _Configs(NamedTuple):
    """A config before the overrides, and with all of them."""

    before: dict
    after: dict


def check_options(cfg: Config, options: dict) -> None:
    """Refuse overrides that would change nothing, or have no place in the config.

    A key passes if the config has it, or if what stands there takes it: the Runner at
    the top level, the component that ``type`` names, torch's DataLoader, and so on.
    It passes too if what is taken can't be known. Of the values only this is looked
    at: dicts, and whether a dict is given for a value or a value for a dict.

    Args:
        cfg: Config before the overrides.
        options: Overrides, as ``--cfg-options`` gives them:
            ``{'model.backbone.depth': 50}``.

    Raises:
        ValueError: With every key that nothing reads, the nearest one that is read,
            the keys of lists that are no place in them, and what is or is not a dict.
    """
    nested = nest(options)
    cfgs = _Configs(cfg._cfg_dict, _merged(cfg._cfg_dict, nested))
    faults = list(_faults(nested, cfgs.before, '', cfgs))
    if faults:
        lines = '\n'.join(f'  {fault}' for fault in faults)
        raise ValueError(f'--cfg-options: these do not fit the config.\n{lines}')
    known = parameters.top_level(cfg.get('runner_type'))
    for key in {key.split('.')[0] for key in options}:
        if known is not None and key not in known:
            _warn(
                f'--cfg-options {key}: it is a variable of the recipe. Unless your own '
                'code reads it, nothing changes: what the recipe built from it stays '
                'as it is. Fix: override the place that uses it, such as '
                'train_dataloader.dataset.dataset.pipeline.'
            )


def settle_recipe(cfg: Config) -> None:
    """Give the model its data preprocessor, and warn of what looks like a typo.

    MMEngine hands a ``data_preprocessor`` at the top level to a model that has none.
    Here it is moved there at once, so that ``model.data_preprocessor`` is the one
    place to override it, whatever the recipe's way of writing.

    Args:
        cfg: Config as its file gives it, changed in place.

    Raises:
        ValueError: If the model has a part of a data preprocessor and the top level
            another: MMEngine would drop the second.
    """
    top, model = cfg.get('data_preprocessor'), cfg.get('model')
    if top is not None and isinstance(model, dict):
        own = model.get('data_preprocessor')
        if own is not None and 'type' not in own:
            raise ValueError(
                f'the config has data_preprocessor={dict(top)} and '
                f'model.data_preprocessor={dict(own)}, and the second replaces the '
                'first as a whole. Fix: write data_preprocessor=dict(...) at the top '
                'level of the recipe, not in model.'
            )
        if own is None:
            model['data_preprocessor'] = top
            cfg.pop('data_preprocessor')
    _warn_of_typos(cfg)


def warn_of_custom_keys(cfg: Config, runner: Runner) -> None:
    """Warn of ``paramwise_cfg.custom_keys`` that match no parameter of the model."""
    wrapper = cfg.get('optim_wrapper') or {}
    keys = (wrapper.get('paramwise_cfg') or {}).get('custom_keys') or {}
    if not keys:
        return
    names = [name for name, _ in runner.model.named_parameters()]
    for key in keys:
        if not any(key in name for name in names):
            parts = {part for name in names for part in (name, *name.split('.'))}
            _warn(
                f'optim_wrapper.paramwise_cfg.custom_keys: {key!r} is part of no '
                f"parameter's name, so it changes nothing.{_fix(key, parts)}"
            )


def _warn_of_typos(cfg: Config) -> None:
    """Warn of what a recipe sets and nothing reads, where that is no error anyway."""
    known = parameters.top_level(cfg.get('runner_type')) or set()
    for key in cfg:
        # tta_pipeline is too near to test_pipeline, which recipes have.
        near = difflib.get_close_matches(key, known - parameters.READ, 1, NEAR)
        if key not in known and near and near[0] not in cfg:
            _warn(f'{key}: nothing reads this variable of the recipe.{_fix(key, near)}')
    for place in parameters.PLAIN:
        node = _at(cfg._cfg_dict, place)
        taken = parameters.of_dict(place, {}, cfg) if isinstance(node, dict) else None
        for key in node if taken is not None else ():
            if key not in taken | ALWAYS:
                _warn(f'{place}.{key}: nothing reads it.{_fix(key, taken)}')


def nest(options: dict) -> dict:
    """Return dotted keys as nested dicts, as MMEngine reads them."""
    nested: dict = {}
    for full_key, value in options.items():
        *parents, last = full_key.split('.')
        node = nested
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise ValueError(
                    f'--cfg-options {full_key}: another option gives {parent} a '
                    'value. Fix: give one of the two.'
                )
        both = isinstance(node.get(last), dict) and isinstance(value, dict)
        node[last] = {**node[last], **value} if both else value
    return nested


def _merged(before: Any, option: Any) -> Any:
    """What the config would have with the overrides; nothing is changed.

    MMEngine's own merge would stop at the first key that has no place.
    """
    if not isinstance(option, dict) or not isinstance(before, dict | None):
        return option
    if before is None or option.get(DELETE):
        before = {}
    merged = {key: _merged(before.get(key), value) for key, value in option.items()}
    return {**before, **merged}


def _faults(option: Any, before: Any, path: str, cfgs: _Configs) -> Iterator[str]:
    """What is wrong with an override and all below it.

    Args:
        option: The override, or a part of it.
        before: What the config has at its place; None if nothing.
        path: Its place.
        cfgs: The whole config, before and after.
    """
    if isinstance(option, list | tuple):
        for index, item in enumerate(option):
            if isinstance(item, dict):
                yield from _faults(item, None, f'{path}.{index}', cfgs)
    elif isinstance(option, dict) and isinstance(before, list | tuple):
        yield from _faults_in_list(option, before, path, cfgs)
    elif isinstance(option, dict) and not _is_open(before) and DELETE not in option:
        yield (
            f'{_leaf(path, option)}: {path} is {before!r}, which has no keys. Fix: '
            f'{path}=VALUE'
        )
    elif isinstance(option, str | int | float) and _is_part(path, before):
        key = next(iter(before), 'type')
        yield (
            f'{path}={option}: the config has a dict there. Fix: set its keys, such as '
            f'{path}.{key}'
        )
    elif isinstance(option, dict):
        keep = isinstance(before, dict) and not option.get(DELETE)
        before = before if keep else {}
        taken = parameters.of_dict(path, {**before, **option}, cfgs.after)
        for key, value in option.items():
            place = f'{path}.{key}' if path else key
            if key in before or key in ALWAYS or _takes(path, taken, key, value):
                yield from _faults(value, before.get(key), place, cfgs)
            elif key.isdigit():
                yield _no_list(place, value, bool(before))
            else:
                yield _fault(place, value, {*taken, *before}, cfgs.before)


def _is_part(path: str, before: Any) -> bool:
    """Whether a component stands at a place, or a dict that MMEngine needs there."""
    return isinstance(before, dict) and ('type' in before or path in parameters.DICTS)


def _is_open(before: Any) -> bool:
    """Whether what the config has at a place, None for nothing, can take keys."""
    return before is None or isinstance(before, dict)


def _faults_in_list(
    option: dict, before: list, path: str, cfgs: _Configs
) -> Iterator[str]:
    """As :func:`_faults`, if the config has a list there: keys are positions."""
    for key, value in option.items():
        if key.isdigit() and int(key) < len(before):
            yield from _faults(value, before[int(key)], f'{path}.{key}', cfgs)
        else:
            yield (
                f'{_leaf(f"{path}.{key}", value)}: {path} is a list of {len(before)}. '
                f'Fix: give the position of an entry, from 0 on, such as {path}.0'
            )


def _takes(path: str, taken: set[str] | None, key: str, value: Any) -> bool:
    """Whether a place takes a key that the config doesn't have there."""
    if path == '' and key == 'data_preprocessor':
        return False  # settle_recipe has moved it
    if key.isdigit():
        return False  # a place in a list, and the config has none here
    if path == 'default_hooks' and isinstance(value, dict) and 'type' in value:
        return True  # a new hook
    return taken is None or key in taken


def _fault(place: str, value: Any, names: set[str], cfg: dict) -> str:
    """Say that nothing reads a key, and what its author may have meant."""
    parent, _, key = place.rpartition('.')
    prefix = f'{parent}.' if parent else ''
    near = difflib.get_close_matches(key, names - {DELETE, key}, 1)
    sure = near and difflib.SequenceMatcher(None, near[0], key).ratio() >= NEAR
    elsewhere = min(_places(cfg, key), key=len, default=None)
    meant = elsewhere if elsewhere and not sure else near and prefix + near[0]
    if meant:
        return f'{_leaf(place, value)}: nothing reads it. Fix: {_leaf(meant, value)}'
    nearest = difflib.get_close_matches(key, names - {DELETE}, len(names) or 1, 0)
    allowed = ', '.join(nearest) or 'nothing'
    return f'{_leaf(place, value)}: nothing reads it. Fix: choose among {allowed}'


def _no_list(place: str, value: Any, is_dict: bool) -> str:
    """Say that a key is a position, but the config has no list there."""
    parent, key = place.rpartition('.')[::2]
    given = _leaf(place, value)
    if is_dict:
        return f'{given}: {parent} is no list. Fix: {_leaf(parent, value)}'
    return (
        f'{given}: the config has no list {parent}, so there is no entry {key}. Fix: '
        f'write {parent} = [...] in a recipe whose _base_ is this one'
    )


def _leaf(place: str, value: Any) -> str:
    """The key as the user gave it, if it has one value alone."""
    while isinstance(value, dict) and len(value) == 1:
        ((key, value),) = value.items()
        place = f'{place}.{key}'
    return place


def _places(node: Any, name: str, path: str = '') -> Iterator[str]:
    """Where in a config a key of this name stands."""
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        place = f'{path}.{key}' if path else key
        if key == name:
            yield place
        yield from _places(value, name, place)


def _at(node: Any, path: str) -> Any:
    """What stands at a place; None if nothing does."""
    for key in path.split('.'):
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _fix(key: str, names: Any) -> str:
    """The nearest name, as the end of a message; empty if none is near."""
    near = difflib.get_close_matches(key, names, 1)
    return f' Fix: {near[0]}' if near else ''


def _warn(message: str) -> None:
    print_log(message, 'current', 30)
