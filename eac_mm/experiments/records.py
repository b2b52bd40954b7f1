"""Keep the result of each finished run as a small file that tables are made from."""

import json
from pathlib import Path

from mmengine import Config

from eac_mm.utils.files import write_atomically
from eac_mm.utils.identity import compare, describe_settings, first_weights
from eac_mm.version import MEASURES


def read_result(path: Path) -> dict | None:
    """Return the content of a ``result.json`` or a record, None if it is not there."""
    return json.loads(path.read_text(encoding='utf-8')) if path.is_file() else None


def write_record(path: Path, command: dict, result: dict) -> None:
    """Write the record of a run: its ``result.json``, and how it was asked for.

    Args:
        path: The file; one key a line, and one epoch a line.
        command: ``recipe`` (path below ``configs`` without ``.py``), ``options`` (a
            list of ``KEY=VALUE``) and ``amp``.
        result: Content of ``result.json``.
    """
    lines = []
    for key, value in {**command, **result}.items():
        text = json.dumps(value)
        if key == 'epochs':
            epochs = ',\n'.join(f'  {json.dumps(epoch)}' for epoch in value)
            text = f'[\n{epochs}\n ]'
        lines.append(f' {json.dumps(key)}: {text}')
    content = ',\n'.join(lines)
    write_atomically(path, f'{{\n{content}\n}}\n'.encode())


def settings_of(cfg: Config) -> dict:
    """Return what of a config decides the figures of a run.

    These are the settings of a run's identity (:mod:`eac_mm.utils.identity`), and
    what a run may change on resume but a result not: length, how often it is
    validated, the files of the first weights, and what the code measures
    (:data:`eac_mm.version.MEASURES`). The data is not read.
    """
    loops = cfg.get('train_cfg') or {}
    return dict(
        identity=describe_settings(cfg.to_dict()),
        measures=MEASURES,
        start=first_weights(cfg),
        length=loops.get('max_epochs', loops.get('max_iters')),
        **_validations(loops),
    )


def settings_in(result: dict) -> dict:
    """Return the same of a result; what it does not say is None.

    Args:
        result: Content of a ``result.json`` or a record, finished or not.
    """
    identity, epochs = result.get('identity'), result.get('epochs')
    loops = ((identity or {}).get('settings') or {}).get('train_cfg') or {}
    end = epochs[-1] if result['finished'] and epochs else {}
    return dict(
        identity=identity,
        measures=result.get('measures', 1),
        start=result.get('start'),
        length=end.get('epoch', end.get('iter')),
        **_validations(loops),
    )


def _validations(loops: dict) -> dict:
    """Return after which epochs a training validates."""
    return dict(
        val_interval=loops.get('val_interval', 1),
        # Tuples in a config, lists in JSON.
        dynamic_intervals=[list(pair) for pair in loops.get('dynamic_intervals') or ()],
    )


def differences(then: dict, now: dict) -> list[str]:
    """List what decides the figures of two runs and differs.

    Args:
        then: From :func:`settings_in` or :func:`settings_of`.
        now: Likewise.

    Returns:
        A line ``key: then -> now`` for each.
    """
    if then['identity'] is None:
        return ['identity: none, as before 0.1.0 -> one that can be compared']
    found = compare(then['identity'], now['identity'])
    keys = [
        key
        for key, value in now.items()
        if key != 'identity' and None not in (value, then[key]) and value != then[key]
    ]
    others = [f'{key}: {then[key]} -> {now[key]}' for key in keys]
    return [*found.result, *found.schedule, *others]
