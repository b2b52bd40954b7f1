"""Options of a command line, read without starting anything."""

import argparse
from collections.abc import Sequence
from typing import Any

from mmengine.config import DictAction


def parse_options(words: Sequence[str]) -> dict[str, Any]:
    """Read the words that follow ``--cfg-options``, as MMEngine's tools do.

    Tools keep these words as they are until they start: MMEngine's own action
    would have ``--help`` wait for the import of MMEngine.

    Args:
        words: Each is ``KEY=VALUE``; the later one wins.

    Raises:
        ValueError: If a word has no key or no ``=``.
    """
    for word in words:
        if not word.partition('=')[0] or '=' not in word:
            raise ValueError(
                f'--cfg-options {word}: give KEY=VALUE. Fix: for example '
                '--cfg-options train_cfg.max_epochs=3; quote a value with spaces.'
            )
    parsed = argparse.Namespace(options=None)
    if words:
        action = DictAction(['--cfg-options'], 'options', nargs='+')
        action(None, parsed, list(words))
    return parsed.options or {}
