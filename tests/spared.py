"""Work of MMEngine's that a process of tests does once, or not at all.

It collects all garbage for each data set that it serialises, and formats the config
anew for each log, dump and checkpoint: together half of a short training.
"""

import gc

from mmengine.config import config

_format, _formatted = config.FormatCode, {}


def spare_repetition() -> None:
    """Leave what is imported out of collections, and format each config once."""
    gc.freeze()
    config.FormatCode = _format_once


def _format_once(text: str, **options) -> tuple[str, bool]:
    if text not in _formatted:
        _formatted[text] = _format(text, **options)
    return _formatted[text]
