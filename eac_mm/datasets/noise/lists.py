"""Read noisy labels of one's own: lists of names and labels, csv, ``.npy``, ``.pt``."""

import csv
import io
import re
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

SEPARATORS = (',', ';', '\t', '|')
NAMES = ('name', 'image', 'image name', 'img', 'file', 'filename', 'path', 'img_path')
LABELS = ('noisy_label', 'given_label', 'noisy', 'label', 'target', 'class')
CLEAN = ('clean_label', 'clean_labels', 'clean', 'true_label')
ALLOWED = (
    'Allowed are a file of tools/make_noise.py; text with a line "name label" for each '
    'sample; csv with a header such as name,label; or one label a sample in the order '
    'of the data set, as text, .npy or .pt (a tensor, or a dict that holds it).'
)


class Column(NamedTuple):
    """Labels of a file, unchecked.

    Attributes:
        labels: Class names or numbers, as the file has them.
        names: Names of the samples; None if the labels are in the data set's order.
        clean: Clean labels that stand beside them; None if there are none.
        lines: Number of the line of each label; None if the file has no lines.
    """

    labels: Sequence[Any]
    names: list[str] | None = None
    clean: Sequence[Any] | None = None
    lines: list[int] | None = None


def read_column(path: Path, column: str | None = None) -> Column:
    """Read the labels of a file.

    Args:
        path: The file; its ending tells ``.npy`` and ``.pt`` from text.
        column: Name of the csv's column, or key of the dict in a ``.pt`` file. Defaults
            to None: the only one, or that of a usual name.

    Raises:
        ValueError: If the file holds something else, or the column is not known.
    """
    if path.suffix == '.npy':
        try:
            return Column(_flat(path, np.load(path, allow_pickle=False)))
        except ValueError as error:
            raise ValueError(
                f'{path} holds no plain array ({error}). Fix: save one integer a '
                'sample, np.save(path, np.asarray(labels)).'
            ) from error
    if path.suffix in ('.pt', '.pth'):
        return _of_content(path, _load(path), column)
    return _of_text(path, column)


def _load(path: Path) -> Any:
    """Load a file of ``torch.save`` that may hold arrays, running nothing in it."""
    rebuild = np.empty(0).__reduce__()[0]
    arrays = [np.ndarray, np.dtype, type(np.dtype(np.int64)), type(np.dtype(np.int32))]
    arrays += [(rebuild, f'numpy.{core}.multiarray._reconstruct') for core in CORES]
    allow = getattr(torch.serialization, 'safe_globals', None)  # PyTorch 2.5
    try:
        with allow(arrays) if allow else nullcontext():
            return torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a malformed file raises nearly anything
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(
            f'{path} is no file of torch.save with labels alone ({reason}). Fix: '
            'save a tensor of integers, torch.save(torch.as_tensor(labels), path).'
        ) from error


CORES = ('core', '_core')  # NumPy before 2, and since


def _of_content(path: Path, content: Any, column: str | None) -> Column:
    if not isinstance(content, dict):
        return Column(_flat(path, content))
    keys = [key for key in content if str(key).lower() not in CLEAN]
    if column is None and len(keys) == 1:
        column = keys[0]
    if column not in content:
        raise ValueError(
            f'{path} holds {list(content)}, and noise_column={column!r} is none of '
            f'them. Fix: noise_column={keys[0] if keys else "..."!r} or another.'
        )
    clean = next((v for k, v in content.items() if str(k).lower() in CLEAN), None)
    return Column(
        _flat(path, content[column]), clean=None if clean is None else list(clean)
    )


def _flat(path: Path, values: Any) -> list[Any]:
    array = np.asarray(values)
    if array.ndim == 2 and 1 in array.shape:
        array = array.reshape(-1)
    whole = array.dtype.kind in 'iuU' or (
        array.dtype.kind == 'f' and np.array_equal(array, np.round(array))
    )
    if array.ndim != 1 or not whole:
        raise ValueError(
            f'{path} holds {array.dtype} of shape {array.shape}. Fix: save one integer '
            'or class name a sample.'
        )
    return (array if array.dtype.kind == 'U' else array.astype(np.int64)).tolist()


def _of_text(path: Path, column: str | None) -> Column:
    # utf-8-sig drops the mark of Windows editors; what is no UTF-8 is no class name.
    text = path.read_text(encoding='utf-8-sig', errors='replace')
    first = next(filter(None, text.splitlines()), '')
    separator = next((s for s in SEPARATORS if s in first), None)
    if separator:
        table = csv.reader(io.StringIO(text), delimiter=separator)
        rows = [(table.line_num, [f.strip() for f in row]) for row in table if row]
    else:  # the label is the last word: names may have blanks
        lines = enumerate(text.splitlines(), 1)
        rows = [(n, line.strip().rsplit(None, 1)) for n, line in lines if line.strip()]
    width = len(rows[0][1]) if rows else 0
    bad = next(((n, row) for n, row in rows if len(row) != width), None)
    if bad or not width:
        place = f'{path}:{bad[0]}: {len(bad[1])} fields, not {width}' if bad else path
        raise ValueError(f'{place}: no list of labels. {ALLOWED} Fix: write one.')
    head = [field.lower() for field in rows[0][1]]
    if column is not None or set(head) & {*LABELS, *CLEAN}:
        return _with_header(path, rows, head, column)
    if width > 2:
        raise ValueError(
            f'{path}:1: {width} columns, and no header that names them. Fix: begin '
            'with a line such as name,label.'
        )
    numbers, fields = zip(*rows, strict=True)
    names = [row[0] for row in fields] if width == 2 else None
    return Column([row[-1] for row in fields], names, lines=list(numbers))


def _with_header(
    path: Path, rows: list[tuple[int, list[str]]], head: list[str], column: str | None
) -> Column:
    wanted = LABELS if column is None else (column.lower(),)
    place = next((head.index(name) for name in wanted if name in head), None)
    if place is None:
        raise ValueError(
            f'{path}:1: the columns are {rows[0][1]}, and noise_column={column!r} is '
            f'none of them. Fix: noise_column={rows[0][1][-1]!r} or another.'
        )
    numbers, fields = zip(*rows[1:], strict=True) if rows[1:] else ((), ())

    def values(names: tuple[str, ...]) -> list[str] | None:
        found = next((head.index(name) for name in names if name in head), None)
        return None if found is None else [row[found] for row in fields]

    labels = [row[place] for row in fields]
    return Column(labels, values(NAMES), values(CLEAN), list(numbers))


def number_labels(
    path: Path, labels: Sequence[Any], classes: Sequence[str], lines: list[int] | None
) -> np.ndarray:
    """Return class names or numbers as labels, int64 (N,).

    Names count if all of them are classes, else numbers from 0.

    Raises:
        ValueError: Naming the first that is neither.
    """
    texts = [str(label) for label in labels]
    numbers = {name: i for i, name in enumerate(classes)}
    if not all(text in numbers for text in texts):
        numbers = {str(i): i for i in range(len(classes))}
    bad = [i for i, text in enumerate(texts) if text not in numbers]
    if bad:
        at = f'{path}:{lines[bad[0]]}' if lines else f'{path}, sample {bad[0]}'
        top = len(classes)
        from_one = all(re.fullmatch('[0-9]+', t) and 0 < int(t) <= top for t in texts)
        hint = 'subtract 1: they count from 1' if from_one else 'correct these labels'
        raise ValueError(
            f'{at}: the label {texts[bad[0]]!r} is neither one of the classes '
            f'{tuple(classes)} nor a number from 0 to {top - 1}; {len(bad)} of '
            f'{len(texts)} labels are not. Fix: {hint}.'
        )
    return np.array([numbers[text] for text in texts], np.int64)
