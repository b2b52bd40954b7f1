"""List the images of a folder, without what programs leave behind in it.

File managers, notebooks and editors put copies and notes beside the images. None
of them is ever a face or a class. Whatever is left out is counted by reason.
"""

import logging
import os
from collections import Counter, defaultdict
from pathlib import Path, PurePosixPath

from mmengine.logging import print_log

from eac_mm.utils.image_formats import command_for, readable_endings

# Without regard to case. Names with a leading dot are foreign anyway.
FOREIGN_NAMES = frozenset(
    {
        '$recycle.bin',
        '#recycle',
        '#snapshot',
        '@eadir',
        '__macosx',
        '__pycache__',
        'desktop.ini',
        'ehthumbs.db',
        'icon\r',
        'lost+found',
        'network trash folder',
        'recycler',
        'system volume information',
        'temporary items',
        'thumbs.db',
    }
)
# Editor backups, Office locks, Emacs autosaves, Windows marks of a download.
FOREIGN_ENDINGS = ('~', '#', ':zone.identifier')
LEFT_BEHIND = 'left behind by a file manager, a notebook or an editor'
SHOWN = 3


def is_foreign(name: str) -> bool:
    """Tell whether a program left a file or a folder of this name behind.

    Hidden names (with a leading dot) are foreign: ``.ipynb_checkpoints``,
    ``.DS_Store``, ``._1.jpg``. So are :data:`FOREIGN_NAMES`, such as ``__MACOSX``
    and ``Thumbs.db``, and backups such as ``1.jpg~``.

    Args:
        name: The name alone, without a folder.
    """
    folded = name.casefold()
    return (
        folded.startswith(('.', '~$'))
        or folded in FOREIGN_NAMES
        or folded.endswith(FOREIGN_ENDINGS)
    )


class LeftOutFiles:
    """Count what is left out of a folder, by reason.

    Args:
        root: The folder; names are shown relative to it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = defaultdict(list)

    def add(self, reason: str, path: Path) -> None:
        """Count one file or folder."""
        self.counts[reason] += 1
        if len(self.examples[reason]) < SHOWN:
            self.examples[reason].append(path.relative_to(self.root).as_posix())

    def __str__(self) -> str:
        """Return a line for each reason: count, reason and a few names."""
        lines = []
        for reason, count in self.counts.items():
            names = ', '.join(map(repr, self.examples[reason]))
            more = ', ...' if count > SHOWN else ''
            lines.append(f'{count:,} {reason}: {names}{more}')
        return '\n  '.join(lines)

    def log(self, owner: str) -> None:
        """Log what is left out: a warning, unless it is all foreign.

        Args:
            owner: Name of the data set.
        """
        if not self.counts:
            return
        print_log(
            f"{owner}: {self.counts.total():,} files or folders in '{self.root}' are "
            f'left out:\n  {self}',
            logger='current',
            level=logging.INFO
            if set(self.counts) == {LEFT_BEHIND}
            else logging.WARNING,
        )


def scan(folder: Path, left_out: LeftOutFiles) -> tuple[list[str], list[str]]:
    """List one folder, by one reading.

    Args:
        folder: The folder.
        left_out: Counts what is left out: foreign names, broken links, and what is
            neither a file nor a folder.

    Returns:
        The names of the folders and of the files, each sorted.
    """
    folders, files = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_foreign(entry.name):
                left_out.add(LEFT_BEHIND, Path(entry.path))
            elif entry.is_dir():
                folders.append(entry.name)
            elif entry.is_file():
                files.append(entry.name)
            else:
                why = 'broken links' if entry.is_symlink() else 'not regular files'
                left_out.add(why, Path(entry.path))
    return sorted(folders), sorted(files)


def find_images(folder: Path, left_out: LeftOutFiles) -> list[Path]:
    """List the images in a folder and in those below it, sorted.

    Links to folders are not followed, as they may lead in a circle.

    Args:
        folder: The folder.
        left_out: Counts what is left out.
    """
    return sorted(_find(folder, left_out, readable_endings()))


def _find(folder: Path, left_out: LeftOutFiles, endings: tuple[str, ...]) -> list[Path]:
    folders, files = scan(folder, left_out)
    found = keep_images(folder, files, left_out, endings)
    for name in folders:
        if (folder / name).is_symlink():
            left_out.add('links to folders, which are not followed', folder / name)
        else:
            found += _find(folder / name, left_out, endings)
    return found


def keep_images(
    folder: Path,
    files: list[str],
    left_out: LeftOutFiles,
    endings: tuple[str, ...] | None = None,
) -> list[Path]:
    """Keep the files of a folder whose endings are those of readable images.

    Args:
        folder: The folder.
        files: Names of files in it.
        left_out: Counts the others by ending.
        endings: The endings, in lower case. Defaults to all that can be read.

    Returns:
        The paths of the images, in the order of ``files``.
    """
    endings = endings or readable_endings()
    images = []
    for name in files:
        ending = PurePosixPath(name).suffix.lower()
        if ending in endings:
            images.append(folder / name)
            continue
        command = command_for(ending)
        hint = f' (Fix: {command})' if command else ''
        why = f'with the ending {ending!r}, which is not read{hint}'
        left_out.add(why if ending else 'without an ending', folder / name)
    return images
