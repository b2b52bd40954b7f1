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
        ValueError: If a word has no key or no ``=``, or its value cannot be read.
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
        try:
            action(None, parsed, list(words))
        # MMEngine's action never ends on a value like [dict(a=1, b=2)].
        except (AssertionError, RecursionError):
            raise ValueError(
                f'--cfg-options {" ".join(words)}: a value cannot be read. Fix: give '
                'numbers, words and lists of them; set the parts of a dict one by one, '
                'such as default_hooks.mine.type=MyHook default_hooks.mine.interval=5.'
            ) from None
    return parsed.options or {}
