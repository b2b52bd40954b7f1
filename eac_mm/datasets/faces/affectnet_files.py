"""Read the files of AffectNet's two layouts."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..listing import LeftOutFiles, keep_images, scan
from ..readers import line_error, read_table, require_inside
from ..validate import require_folder, require_images

COLUMNS = (
    'subDirectory_filePath',
    'face_x',
    'face_y',
    'face_width',
    'face_height',
    'facial_landmarks',
    'expression',
    'valence',
    'arousal',
)
# Expression id -> our class; None (none, uncertain, no face) is no expression.
IDS = {
    '0': 'neutral',
    '1': 'happy',
    '2': 'sad',
    '3': 'surprise',
    '4': 'fear',
    '5': 'disgust',
    '6': 'angry',
    '7': 'contempt',
    '8': None,
    '9': None,
    '10': None,
}
EXPECTED_ID = f'an expression id from 0 to {len(IDS) - 1}'
ID_FILE = '_exp.npy'
READERS = 16  # threads: reading small files from a network drive is mostly waiting
FIX = (
    'Fix: request AffectNet at http://mohammadmahoor.com/affectnet/ (for research). '
    'Point data_root at the folder of training.csv, validation.csv and '
    'Manually_Annotated_Images, or at that of train_set and val_set.'
)


class Row(NamedTuple):
    """One row of ``training.csv`` or ``validation.csv``."""

    number: int
    line: str
    name: str
    expression: str | None
    box: tuple[int, ...] | None


def read_rows(path: Path, boxes: bool) -> Iterator[Row]:
    """Read the list of the csv layout.

    Args:
        path: The file.
        boxes: Whether to read the face boxes too.

    Yields:
        Every row. ``name`` has ``/`` between folders. ``expression`` is our class
        name, or None if the face shows none of them. ``box`` is (left, top, width,
        height) in pixels, or None if not asked for or if its size is not positive.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the header differs or a row is malformed: an unknown
            expression, a path that leaves the image folder, or a box that is not
            of whole numbers.
    """
    for number, line, fields in read_table(path, COLUMNS, FIX):
        name, expression = fields[0], fields[6]
        require_inside(path, number, line, name)
        if expression not in IDS:
            raise line_error(path, number, line, EXPECTED_ID)
        box = _read_box(path, number, line, fields[1:5]) if boxes else None
        # No official name has a backslash; lists written on Windows have.
        yield Row(number, line, name.replace('\\', '/'), IDS[expression], box)


def _read_box(
    path: Path, number: int, line: str, fields: Sequence[str]
) -> tuple[int, ...] | None:
    try:
        box = tuple(map(int, fields))
    except ValueError as error:
        raise line_error(
            path,
            number,
            line,
            f'whole numbers as {", ".join(COLUMNS[1:5])}; crop=False reads no boxes',
        ) from error
    return box if min(box[2:]) > 0 else None


def read_annotations(
    images: Path, annotations: Path, missing_ok: bool = False
) -> Iterator[tuple[str, str | None]]:
    """Read the labels of the npy layout.

    Args:
        images: The folder of ``0.jpg`` (or ``0.png``), ...
        annotations: The folder of ``0_exp.npy``, ...
        missing_ok: Whether an image may be missing; its name then ends in ``.jpg``.
            Defaults to False.

    Yields:
        The file name of each image and its class name (None if it shows none of
        ours), ``2.jpg`` before ``10.jpg``.

    Raises:
        FileNotFoundError: If a folder is missing, or an image or its expression
            lacks the other.
        ValueError: If an ``_exp.npy`` does not hold an expression id, or two images
            have the same number.
    """
    require_folder(annotations, FIX)
    require_folder(images, FIX)
    stems = _list_stems(annotations)
    names = _list_images(images)
    if not missing_ok:
        listed = (names.get(stem, f'{stem}.jpg') for stem in stems)
        require_images(images, listed, FIX)
    bare = sorted(set(names).difference(stems))
    if bare:
        shown = ', '.join(f'{stem}{ID_FILE}' for stem in bare[:3])
        raise FileNotFoundError(
            f"{len(bare)} images in '{images}' have no expression in "
            f"'{annotations}': {shown}{', ...' if len(bare) > 3 else ''}. {FIX}"
        )
    files = [annotations / f'{stem}{ID_FILE}' for stem in stems]
    with ThreadPoolExecutor(READERS) as pool:
        for stem, expression in zip(stems, pool.map(read_id, files), strict=True):
            yield names.get(stem, f'{stem}.jpg'), IDS[expression]


def read_id(path: Path) -> str:
    """Read the expression id of an ``_exp.npy`` without executing anything in it.

    Args:
        path: The file: an array of one text or integer.

    Returns:
        The id, ``'0'`` to ``'10'``.

    Raises:
        ValueError: If it holds anything else.
    """
    try:
        with path.open('rb') as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
    except ValueError as error:
        raise ValueError(f'{path}: expected {EXPECTED_ID} ({error}).') from error
    text = str(array.item()) if array.size == 1 else f'shape {array.shape}'
    if array.dtype.kind not in 'Uiu' or text not in IDS:
        raise ValueError(
            f'{path}: {text!r} of type {array.dtype}: expected {EXPECTED_ID}.'
        )
    return text


def _list_stems(annotations: Path) -> list[str]:
    """List what stands before ``_exp.npy`` in the files' names; '2' before '10'."""
    _, files = scan(annotations, LeftOutFiles(annotations))
    stems = (name.removesuffix(ID_FILE) for name in files if name.endswith(ID_FILE))
    return sorted(stems, key=lambda stem: (len(stem), stem))


def _list_images(images: Path) -> dict[str, str]:
    """Return the file name of each image by its stem."""
    left_out = LeftOutFiles(images)
    folders, files = scan(images, left_out)
    for name in folders:
        left_out.add('folders, which are not read in this layout', images / name)
    names: dict[str, str] = {}
    for path in keep_images(images, files, left_out):
        other = names.setdefault(path.stem, path.name)
        if other != path.name:
            raise ValueError(
                f"'{images}' has '{other}' and '{path.name}', and one expression for "
                'both. Fix: remove one of them.'
            )
    left_out.log('AffectNet')
    return names
