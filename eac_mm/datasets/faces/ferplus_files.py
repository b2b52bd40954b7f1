"""Write the image folders of FERPlus from the original csv files.

Row i of ``fer2013.csv`` belongs to row i of ``fer2013new.csv``. Rows whose image name
is empty show no face and are not written. Four names are listed twice; the first row
gives the image. An interrupted conversion can be repeated: images that are already
there and right are not written again.
"""

import filecmp
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from ..readers import line_error, read_lines, read_table
from .ferplus import FIX, FOLDERS, VOTES_FILE, read_votes

SIDE = 48
# Of fer2013.csv and of icml_face_data.csv, whose header has blanks.
COLUMNS = ('emotion', 'pixels', 'Usage')
ICML_COLUMNS = ('emotion', 'Usage', 'pixels')


class Row(NamedTuple):
    """A row of ``fer2013.csv`` and its image name in FERPlus."""

    number: int
    line: str
    pixels: str
    usage: str
    name: str


def paired_rows(fer2013: Path, ferplus: Path) -> Iterator[Row]:
    """Read both files side by side.

    Args:
        fer2013: The csv with the pixels, ``fer2013.csv`` or ``icml_face_data.csv``.
        ferplus: The csv with the image names.

    Yields:
        Every row, also those without an image name.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a row is malformed, has another ``Usage`` in the other
            file, or one file has more rows.
    """
    columns = _columns_of(fer2013)
    pixels_at, usage_at = columns.index('pixels'), columns.index('Usage')
    rows = read_table(fer2013, columns, FIX)
    for count, (row, votes) in enumerate(zip_longest(rows, read_votes(ferplus))):
        if row is None or votes is None:
            shorter = fer2013 if row is None else ferplus
            raise ValueError(
                f"'{fer2013}' and '{ferplus}' must have equally many rows, but "
                f"'{shorter}' ends after {count}. {FIX}"
            )
        number, line, fields = row
        pixels, usage = fields[pixels_at], fields[usage_at].strip()
        if usage != votes.usage:
            raise line_error(
                fer2013,
                number,
                f'...,{usage}',
                f'Usage {votes.usage!r}, as in {ferplus}:{votes.number}',
            )
        yield Row(number, line, pixels, usage, votes.name)


def _columns_of(fer2013: Path) -> tuple[str, ...]:
    _, header = next(read_lines(fer2013, FIX), (1, ''))
    names = tuple(name.strip() for name in header.split(','))
    return ICML_COLUMNS if names == ICML_COLUMNS else COLUMNS


def read_pixels(path: Path, row: Row) -> np.ndarray:
    """Read the pixels of a row.

    Args:
        path: The file of the row, for the error.
        row: The row.

    Returns:
        A grey uint8 image of 48 x 48.

    Raises:
        ValueError: If they are not 2304 integers from 0 to 255.
    """
    values = row.pixels.split()
    if len(values) != SIDE**2:
        raise line_error(
            path, row.number, row.line, f'{SIDE**2} pixels, found {len(values)}'
        )
    for value in values:
        if not value.isdecimal() or int(value) > 255:
            raise line_error(
                path, row.number, row.line, f'pixels from 0 to 255, found {value!r}'
            )
    return np.array(values, dtype=np.uint8).reshape(SIDE, SIDE)


def holds(path: Path, image: np.ndarray) -> bool:
    """Return whether a file exists and holds exactly this image."""
    if not path.is_file() or path.stat().st_size == 0:
        return False
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return found is not None and np.array_equal(found, image)


def write(path: Path, data: bytes) -> None:
    """Write a file so that it exists either whole or not at all.

    Unlike :func:`eac_mm.utils.files.write_atomically` it does not wait for the disk,
    35,000 times: the next conversion checks every image.
    """
    temporary = path.with_name(f'{path.name}.tmp')
    temporary.write_bytes(data)
    temporary.replace(path)


def copy_votes(ferplus: Path, out: Path) -> None:
    """Copy ``fer2013new.csv`` to the folder that holds the image folders.

    Raises:
        ValueError: If the folder has another one.
    """
    target = out / VOTES_FILE
    if target.exists():
        if not filecmp.cmp(ferplus, target, shallow=False):
            raise ValueError(
                f"'{target}' exists and differs from '{ferplus}'. Fix: remove it, or "
                'convert to another folder.'
            )
        return
    write(target, ferplus.read_bytes())


def convert(
    fer2013: Path,
    ferplus: Path,
    out: Path,
    progress: Callable[[Iterable[Row], int], Iterable[Row]] = lambda rows, total: rows,
) -> dict[str, dict[str, int]]:
    """Write the images.

    Args:
        fer2013: The csv with the pixels, ``fer2013.csv`` or ``icml_face_data.csv``.
        ferplus: The csv with the image names.
        out: The folder to write to; it is created.
        progress: Wraps the iteration over the rows, given their number.

    Returns:
        For every folder the number of images ``written``, ``kept`` (already there),
        ``repeated`` (rows with a name that came before), ``differing`` (repeated
        with other pixels) and ``nameless`` rows.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is malformed or the two do not belong together.
    """
    # First pass: a shifted file must be found before it names the wrong faces.
    total = sum(1 for _ in paired_rows(fer2013, ferplus))
    for folder in FOLDERS.values():
        (out / folder).mkdir(parents=True, exist_ok=True)
    copy_votes(ferplus, out)

    kinds = ('written', 'kept', 'repeated', 'differing', 'nameless')
    counts = {folder: dict.fromkeys(kinds, 0) for folder in FOLDERS.values()}
    done: set[Path] = set()
    for row in progress(paired_rows(fer2013, ferplus), total):
        count = counts[FOLDERS[row.usage]]
        if not row.name:
            count['nameless'] += 1
            continue
        image = read_pixels(fer2013, row)
        path = out / FOLDERS[row.usage] / row.name
        same = holds(path, image)
        if path in done:
            count['repeated'] += 1
            count['differing'] += not same
            continue
        done.add(path)
        if not same:
            write(path, cv2.imencode('.png', image)[1].tobytes())
        count['kept' if same else 'written'] += 1
    return counts
