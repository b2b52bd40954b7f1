"""Read pickled dicts of NumPy arrays without running anything in them.

A pickle is a program that may call any function it can name. Here the few names
that a dict of arrays needs lead to stand-ins, which only record the parts of the
array; NumPy gets the content after all of it was checked. Every other name is
refused.
"""

import io
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

TYPES = ('f2', 'f4', 'f8', 'i4', 'i8')
DEPTH = 2  # a dict of arrays, or one inside another dict


class _Type:
    """Stand for a ``numpy.dtype`` of a plain number."""

    def __init__(self, code: Any, *flags: Any) -> None:
        if code not in TYPES:
            raise ValueError(
                f'an array has elements of type {code!r} (O: Python objects); allowed '
                f'are {", ".join(TYPES)}'
            )
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        order, *parts = state[1:5]  # subarray, field names and fields: none
        if order not in ('<', '>') or parts != [None] * 3:
            raise ValueError(f'an array has elements of the composite type {state!r}')
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stand for a ``numpy.ndarray``."""

    def __init__(self, *made_from: Any) -> None:
        self.array: np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, kind, by_column, content = state
        if not isinstance(kind, _Type):
            raise ValueError(f'an array has elements of type {kind!r}')
        if isinstance(content, str):  # bytes of Python 2
            content = content.encode('latin1')
        size = math.prod(shape) * kind.dtype.itemsize
        if not isinstance(content, bytes) or len(content) != size:
            raise ValueError(f'an array of shape {shape!r} does not hold {size} bytes')
        flat = np.frombuffer(content, kind.dtype)
        array = flat.reshape(shape, order='F' if by_column else 'C')
        self.array = np.array(array, dtype=kind.dtype.newbyteorder('='), order='C')


def _encode(text: str, encoding: str) -> bytes:
    if encoding != 'latin1':
        raise ValueError(f'it encodes a text as {encoding!r}; allowed is latin1')
    return text.encode('latin1')


class _StandIn:
    """Replace what a name in the pickle stands for: it can only be called."""

    __slots__ = ('_make',)

    def __init__(self, make: Callable) -> None:
        self._make = make

    def __call__(self, *args: Any) -> Any:
        return self._make(*args)

    def __setstate__(self, state: Any) -> None:
        raise ValueError('it changes a function')


ALLOWED = {
    # makes an empty array of the class that follows; NumPy 1 and 2
    'numpy.core.multiarray._reconstruct': _StandIn(_Array),
    'numpy._core.multiarray._reconstruct': _StandIn(_Array),
    'numpy.ndarray': _StandIn(_Array),  # that class
    'numpy.dtype': _StandIn(_Type),
    '_codecs.encode': _StandIn(_encode),  # how Python 3 writes bytes in protocol 2
    'collections.OrderedDict': _StandIn(dict),  # a state dict of torch is one
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> _StandIn:
        """Return the stand-in of an allowed name."""
        if f'{module}.{name}' not in ALLOWED:
            raise ValueError(
                f'it asks for {module}.{name}; a dict of arrays needs only '
                f'{", ".join(ALLOWED)}'
            )
        return ALLOWED[f'{module}.{name}']


def read_numpy_pickle(content: bytes) -> Any:
    """Read a pickled dict of arrays, of Python 2 or 3.

    Args:
        content: The bytes of the file.

    Returns:
        The pickled value, with arrays in native byte order.

    Raises:
        ValueError: If it holds more than plain values and arrays of numbers, or is
            not a pickle.
    """
    try:
        return _unwrap(_Reader(io.BytesIO(content), encoding='latin1').load(), DEPTH)
    except Exception as error:  # a malformed pickle raises nearly anything
        raise ValueError(
            f'this is not a pickle of NumPy arrays: {error or type(error).__name__}'
        ) from error


def _unwrap(value: Any, depth: int) -> Any:
    """Replace the stand-ins by their arrays."""
    if isinstance(value, _Array):
        if value.array is None:
            raise ValueError('an array has no content')
        return value.array
    if isinstance(value, dict) and depth:
        return {key: _unwrap(item, depth - 1) for key, item in value.items()}
    return value
