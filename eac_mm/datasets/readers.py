"""Read lists and csv files; every error names the line."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath

from .validate import require_file


def line_error(path: Path, number: int, line: str, expected: str) -> ValueError:
    """Make the error for a bad line: its place, its content and what belongs there.

    Args:
        path: The file.
        number: The number of the line, from 1.
        line: Its content; more than 80 characters are cut.
        expected: What belongs there.

    Returns:
        The error, for the caller to raise.
    """
    shown = line if len(line) <= 80 else f'{line[:77]}...'
    return ValueError(
        f'{path}:{number}: {shown!r}: expected {expected}. Fix: correct this line, or '
        'get the file anew.'
    )


def require_plain_name(path: Path, number: int, line: str, name: str) -> None:
    """Check that an image name from a list stays inside the image folder.

    Raises:
        ValueError: If ``name`` has a folder, a drive or ``..`` in it.
    """
    # Windows' rules ('\', '/' and drives) are the strictest: they hold everywhere.
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
    strict = PureWindowsPath(name)  # as in require_plain_name
    if not strict.name or strict.drive or strict.root or '..' in strict.parts:
        raise line_error(
            path,
            number,
            line,
            'the path of an image inside the image folder, relative to it; '
            f'{name!r} could leave the data root',
        )


def read_lines(path: Path, fix: str) -> Iterator[tuple[int, str]]:
    """Read the lines of a list with their numbers.

    Blank lines at the end are allowed.

    Args:
        path: The file.
        fix: What to do if it is missing.

    Yields:
        The number of the line, from 1, and its content without outer blanks.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If a blank line is followed by others.
    """
    require_file(path, fix)
    blank = None
    # utf-8-sig drops the mark that Windows editors put first. With 'replace' a
    # binary file gives an error about a line instead of a byte.
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
    path: Path, columns: Sequence[str], fix: str
) -> Iterator[tuple[int, str, list[str]]]:
    """Read a csv file whose first line names the columns.

    Args:
        path: The file.
        columns: The names that the first line must hold, in this order; blanks
            around them do not matter.
        fix: What to do if the file is missing.

    Yields:
        The number of the line, from 1, its content and its fields.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If the header differs, or a row has too few or too many
            fields.
    """
    columns = list(columns)
    header = None
    for number, line in read_lines(path, fix):
        try:
            fields = next(csv.reader([line]))
        except csv.Error as error:
            raise line_error(path, number, line, f'a csv row ({error})') from error
        if header is None:
            header = [field.strip() for field in fields]
            if header != columns:
                raise line_error(path, number, line, f'the header {",".join(columns)}')
            continue
        if len(fields) != len(columns):
            raise line_error(
                path, number, line, f'{len(columns)} fields, found {len(fields)}'
            )
        yield number, line, fields
    if header is None:
        raise ValueError(f"'{path}' is empty. {fix}")
