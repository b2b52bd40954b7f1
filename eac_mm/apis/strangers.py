"""Settings that a component does not take: most are left from one of another type."""

from collections.abc import Iterator
from typing import Any

from mmengine import Config
from mmengine.logging import print_log

from . import parameters

# Elsewhere, such as in the policies of AutoAugment, others may add settings.
PLACES = ('optim_wrapper', 'param_scheduler')
ALWAYS = {'_delete_', '_scope_', 'type'}


def drop_left_behind(cfg: Config, before: Any, given: dict) -> None:
    """Remove what a component that was replaced has left to one of another type.

    MMEngine merges settings: ``optim_wrapper.optimizer.type=RMSprop`` keeps the
    ``fused`` of the recipe's Adam, which RMSprop does not take. The log names what is
    removed and what stays.

    Args:
        cfg: Config with the overrides, changed in place.
        before: What it held before them.
        given: The overrides, nested; what the user gave stays.
    """
    _drop_noise(cfg._cfg_dict, given, '')
    for path, node, old, new in list(_replaced(cfg._cfg_dict, before, given, '')):
        taken = parameters.of_dict(path, node, cfg)
        if taken is None:
            continue
        kept = {k: v for k, v in node.items() if k in old and k not in new}
        lost = [key for key in kept if key not in taken | ALWAYS]
        stay = [f'{k}={v!r}' for k, v in kept.items() if k in taken]
        for key in lost:
            node.pop(key)
        if lost:
            print_log(
                f'{path}: {node["type"]} takes the place of {old["type"]} and does not '
                f'take {", ".join(lost)}, which the recipe set for it: left out. '
                f'It keeps {", ".join(stay) or "nothing"} of the recipe.',
                'current',
            )


def _drop_noise(node: Any, given: Any, path: str) -> None:
    """Let a ``noise_file`` that is given take the place of noise to draw."""
    if not isinstance(given, dict) or not isinstance(node, dict):
        return
    if given.get('noise_file') is not None:
        for key, none in (('rate', 0.0), ('transition', None)):
            if node.get(key) and key not in given:
                print_log(
                    f'{path}: noise_file={given["noise_file"]} takes the place of '
                    f'{key}={node[key]} of the recipe',
                    'current',
                )
                node[key] = none
    for key, value in given.items():
        _drop_noise(node.get(key), value, f'{path}.{key}' if path else str(key))


def refuse_strangers(cfg: Config) -> None:
    """Refuse settings of optimiser and schedule that these do not take.

    Raises:
        ValueError: Naming all of them, and how to replace a component of a base.
    """
    found = [x for at in PLACES for x in _strangers(cfg._cfg_dict.get(at), at, cfg)]
    if found:
        lines = '\n'.join(f'  {line}' for line in found)
        raise ValueError(
            f'the config holds settings that nothing takes.\n{lines}\nFix: remove '
            'them. If they come from a _base_ whose component yours replaces, begin '
            'yours with _delete_=True and write all of its settings.'
        )


def _replaced(
    after: Any, before: Any, given: Any, path: str
) -> Iterator[tuple[str, dict, dict, dict]]:
    """Visit the parts of a config whose type was overridden by another one.

    Yields:
        The place, what stands there, what stood there, and what was given for it.
    """
    if not isinstance(given, dict):
        return
    if isinstance(after, list) and isinstance(before, list):
        after, before = (
            {str(i): item for i, item in enumerate(items)} for items in (after, before)
        )
    if not isinstance(after, dict) or not isinstance(before, dict):
        return
    if 'type' in given and before.get('type') not in (None, after.get('type')):
        yield path, after, before, given
    for key, value in given.items():
        place = f'{path}.{key}' if path else str(key)
        yield from _replaced(after.get(key), before.get(key), value, place)


def _strangers(node: Any, path: str, cfg: Config) -> Iterator[str]:
    if isinstance(node, list | tuple):
        for i, item in enumerate(node):
            yield from _strangers(item, f'{path}.{i}', cfg)
    elif isinstance(node, dict):
        if 'type' in node:
            taken = parameters.of_dict(path, node, cfg)
            for key in node if taken is not None else ():
                if key not in taken | ALWAYS:
                    yield f'{path}.{key}: {node["type"]} does not take it'
        for key, value in node.items():
            yield from _strangers(value, f'{path}.{key}', cfg)
