"""What every face data set asks of the lists and folders that it is given.

Each check says what it found, what is allowed and how to mend it. ``mend`` is
the sentence of the calling data set: where its files come from.
"""

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PureWindowsPath


def require_choice(name: str, value: object, allowed: Sequence) -> None:
    """Check an argument that takes one of a few values.

    Raises:
        ValueError: If ``value`` is none of ``allowed``.
    """
    if value not in allowed:
        choices = ', '.join(map(repr, allowed))
        raise ValueError(f'{name}={value!r} is unknown. Allowed: {choices}.')


def require_folder(path: Path, mend: str) -> None:
    """Check that a folder is there.

    Raises:
        FileNotFoundError: If ``path`` is no folder.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"The folder '{path}' does not exist. {mend}")


def require_file(path: Path, mend: str) -> None:
    """Check that a file is there.

    Raises:
        FileNotFoundError: If ``path`` is no file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"The file '{path}' does not exist. {mend}")


def require_faces(faces: Sequence, path: str | Path, split: str, mend: str) -> None:
    """Check that a list has any face of the split.

    Raises:
        ValueError: If ``faces`` is empty.
    """
    if not faces:
        raise ValueError(f"'{path}' lists no face of split '{split}'. {mend}")


def require_images(
    folder: Path, names: Iterable[str], mend: str, source: str | Path = ''
) -> None:
    """Check that a folder holds every image of a list.

    The folder is read once. One ``stat`` a file would take minutes for tens
    of thousands of faces on a network drive.

    Args:
        folder: The folder of the images.
        names: Their file names.
        mend: How to get them.
        source: The file that lists them, for the error.

    Raises:
        FileNotFoundError: If the folder or any of the images is missing.
    """
    require_folder(folder, mend)
    with os.scandir(folder) as entries:
        present = {entry.name for entry in entries}
    if not present:
        raise FileNotFoundError(f"The image folder '{folder}' is empty. {mend}")
    names = dict.fromkeys(names)
    missing = [name for name in names if name not in present]
    if missing:
        by = f" (by '{source}')" if source else ''
        raise FileNotFoundError(
            f"{len(missing)} of {len(names)} listed images{by} are not in '{folder}': "
            f'{", ".join(missing[:3])}{", ..." if len(missing) > 3 else ""}. {mend}'
        )


def line_error(path: Path, number: int, line: str, expected: str) -> ValueError:
    """Make the error for a bad line: where it is, what it says, what it should.

    Args:
        path: The file.
        number: The number of the line, from 1.
        line: Its content; a long one is cut.
        expected: What belongs there.

    Returns:
        The error, for the caller to raise.
    """
    shown = line if len(line) <= 80 else f'{line[:77]}...'
    return ValueError(f'{path}:{number}: {shown!r}: expected {expected}.')


def require_plain_name(path: Path, number: int, line: str, name: str) -> None:
    """Check that an image name from a list stays inside the image folder.

    Raises:
        ValueError: If ``name`` has a folder, a drive or ``..`` in it.
    """
    # Windows knows '\', '/' and drives: the strictest reading on any system.
    if name == '..' or PureWindowsPath(name).name != name:
        raise line_error(
            path,
            number,
            line,
            f'the name of a file inside the image folder, without a path; {name!r} '
            'could leave the data root',
        )


def require_inside(path: Path, number: int, line: str, name: str) -> None:
    """Check that an image path from a list stays inside the image folder.

    Raises:
        ValueError: If ``name`` is empty, absolute or has a drive or ``..`` in it.
    """
    strict = PureWindowsPath(name)  # as above
    if not strict.name or strict.drive or strict.root or '..' in strict.parts:
        raise line_error(
            path,
            number,
            line,
            'the path of an image inside the image folder, relative to it; '
            f'{name!r} could leave the data root',
        )


def read_lines(path: Path, mend: str) -> Iterator[tuple[int, str]]:
    """Read the lines of a list with their numbers.

    Blank lines at the end are fine.

    Args:
        path: The file.
        mend: What to do where it is missing.

    Yields:
        The number of the line, from 1, and its content without outer blanks.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If a blank line is followed by others.
    """
    require_file(path, mend)
    blank = None
    # utf-8-sig drops the mark that Windows editors put first; 'replace' lets
    # the reader of a file that is no text complain about a line, not a byte.
    with path.open(encoding='utf-8-sig', errors='replace') as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line:
                blank = blank or number
                continue
            if blank:
                raise line_error(path, blank, '', 'no blank line between others')
            yield number, line


def read_table(
    path: Path, columns: Sequence[str], mend: str
) -> Iterator[tuple[int, str, list[str]]]:
    """Read a csv file whose first line names the columns.

    Args:
        path: The file.
        columns: The names that the first line must hold, in this order.
        mend: What to do where the file is missing.

    Yields:
        The number of the line, from 1, its content and its fields.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the header is another or a row has too few or too many
            fields.
    """
    columns = list(columns)
    header = None
    for number, line in read_lines(path, mend):
        try:
            fields = next(csv.reader([line]))
        except csv.Error as error:
            raise line_error(path, number, line, f'a csv row ({error})') from error
        if header is None:
            header = fields
            if header != columns:
                raise line_error(path, number, line, f'the header {",".join(columns)}')
            continue
        if len(fields) != len(columns):
            raise line_error(
                path, number, line, f'{len(columns)} fields, found {len(fields)}'
            )
        yield number, line, fields
    if header is None:
        raise ValueError(f"'{path}' is empty. {mend}")
