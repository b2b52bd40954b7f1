"""Plain Python values of whatever metrics and configs hold."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from torch import Tensor


def to_plain(value: Any) -> Any:
    """Turn tensors, arrays and NumPy scalars into numbers and lists.

    Args:
        value: Any value; dicts, lists and tuples are converted with all they hold.

    Returns:
        None, bool, int, float, str, list or dict (with str keys), which JSON,
        YAML and ``torch.load(weights_only=True)`` take. Anything else, such as a
        class, becomes its name.
    """
    if isinstance(value, Tensor):
        value = value.detach().cpu().float() if value.is_floating_point() else value
        return value.tolist()
    if isinstance(value, np.ndarray | np.generic):
        return to_plain(value.tolist())
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((to_plain(item) for item in value), key=repr)
    return getattr(value, '__name__', None) or repr(value)
