"""Faces of your own, listed in a csv file."""

import csv
import io
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from mmengine.logging import print_log
from mmpretrain.registry import DATASETS

from eac_mm.utils.files import write_atomically

from ..listing import LEFT_BEHIND, is_foreign
from ..readers import line_error, require_inside
from ..validate import require_file, require_folder
from .base import FaceDataset, class_names, sort_classes

FIX = 'Fix: correct data_root or ann_file; ann_file is relative to data_root.'
SEPARATORS = (',', ';', '\t', '|')


class Row(NamedTuple):
    """A row of the file: the number of its last line, image path, class name."""

    number: int
    name: str
    label: str

    @property
    def line(self) -> str:
        """The two fields, for errors."""
        return f'{self.name},{self.label}'


@DATASETS.register_module()
class CSVFaces(FaceDataset):
    r"""Read faces that a csv file lists; its first line names the columns: ::

        image,label
        2019/anna.jpg,happy
        2019/ben.png,sad

    The file is UTF-8. Commas, semicolons, tabs or vertical bars separate its
    columns: the first line shows which. Other columns are ignored. Folders in a
    path are separated by ``/``, or by ``\`` as on Windows. An image that is listed
    twice with one label counts twice. The log warns of hidden images in the list
    (``.ipynb_checkpoints/1-checkpoint.jpg``), which are copies as a rule. Images in one
    folder per class need no list: :class:`FolderFaces` reads them.

    Args:
        data_root: Folder of the csv file.
        ann_file: The csv file, relative to ``data_root`` or absolute.
        data_prefix: Folder that the image paths are relative to, itself relative
            to ``data_root``. Defaults to ``data_root`` itself.
        classes: Class names, in the order of the labels; integers stand for their
            digits. Defaults to those in the file, sorted (by number if all are
            integers); name them if a split may lack one.
        image_column: Name of the column of image paths. Defaults to
            ``'image'``.
        label_column: Name of the column of class names. Defaults to
            ``'label'``.
        **kwargs: ``on_bad_image`` of :class:`FaceDataset`, and the arguments of
            :class:`mmpretrain.datasets.BaseDataset`.

    Raises:
        FileNotFoundError: If the folder, the list or an image is missing.
        ValueError: If the file is not a csv file in UTF-8, a column is missing, a
            label is unknown, a path leaves the folder, an image is listed with
            two labels, or no face is listed.
    """

    list_ending = '.csv'

    def __init__(
        self,
        data_root: str,
        ann_file: str,
        data_prefix: str = '',
        classes: Sequence[str | int] | None = None,
        image_column: str = 'image',
        label_column: str = 'label',
        **kwargs,
    ):
        self.image_column = image_column
        self.label_column = label_column
        super().__init__(
            ann_file=ann_file,
            data_root=str(Path(data_root).expanduser()),
            data_prefix=data_prefix,
            classes=class_names(classes),
            **kwargs,
        )

    def write_label_list(
        self, path: str | Path, names: Sequence[str], labels: Sequence[int]
    ) -> None:
        """Write a list of its format, to be its ``ann_file``.

        An image that is listed twice keeps the first of its labels, since the format
        allows it one.

        Args:
            path: The file.
            names: Paths of images, relative to its folder of images.
            labels: Their labels, from 0.
        """
        first: dict[str, int] = {}
        text = io.StringIO()
        table = csv.writer(text, lineterminator='\n')
        table.writerow([self.image_column, self.label_column])
        for name, label in zip(names, labels, strict=True):
            table.writerow([name, self.CLASSES[first.setdefault(name, label)]])
        write_atomically(path, text.getvalue().encode())

    def load_data_list(self) -> list[dict]:
        """Read the faces.

        Returns:
            ``img_path``, ``gt_label`` and ``name`` of each, in the file's order.
        """
        path, folder = Path(self.ann_file), Path(self.img_prefix or self.data_root)
        require_folder(Path(self.data_root), FIX)
        require_file(path, FIX)
        require_folder(folder, FIX)
        rows = list(self._read_rows(path))
        if not rows:
            raise ValueError(
                f"'{path}' lists no face. Fix: add a line for each, such as a.jpg,sad."
            )
        if self.CLASSES is None:
            self._metainfo['classes'] = sort_classes(row.label for row in rows)
        seen: dict[str, Row] = {}
        faces = [self._read_face(path, folder, row, seen) for row in rows]
        _warn_of_foreign(path, [face['name'] for face in faces])
        return faces

    def _read_face(
        self, path: Path, folder: Path, row: Row, seen: dict[str, Row]
    ) -> dict:
        if row.label not in self.class_to_idx:
            raise line_error(
                path, row.number, row.line, f'a class of {tuple(self.CLASSES)}'
            )
        name = row.name
        if '\\' in name and not _is_file(folder / name):
            name = name.replace('\\', '/')
        image = str(folder / name)
        first = seen.setdefault(image, row)
        if row.label != first.label:
            raise line_error(
                path,
                row.number,
                row.line,
                f'the label of line {first.number}, {first.label!r}, for the same '
                'image',
            )
        if self.on_bad_image == 'stop' and first is row and not _is_file(image):
            raise FileNotFoundError(
                f'{path}:{row.number}: the image {image!r} does not exist. {FIX}'
            )
        label = self.class_to_idx[row.label]
        return {'img_path': image, 'gt_label': label, 'name': name}

    def _read_rows(self, path: Path) -> Iterator[Row]:
        # 'replace' lets the checks below complain, with the line.
        with path.open(newline='', encoding='utf-8-sig', errors='replace') as file:
            separator = self._find_separator(file)
            table = csv.reader(file, strict=True, delimiter=separator)
            try:
                header = next(table, [])
                image = self._find_column(path, header, self.image_column)
                label = self._find_column(path, header, self.label_column)
                for fields in filter(None, table):
                    if len(fields) != len(header):
                        raise line_error(
                            path,
                            table.line_num,
                            separator.join(fields),
                            f'{len(header)} fields, found {len(fields)}',
                        )
                    row = Row(table.line_num, fields[image], fields[label])
                    _check_row(path, row)
                    yield row
            except csv.Error as error:
                raise line_error(
                    path, table.line_num, '...', f'a csv row ({error})'
                ) from error

    def _find_separator(self, file: TextIO) -> str:
        """Return the separator that gives both columns, or a comma if none does."""
        header = file.readline()
        file.seek(0)
        for separator in SEPARATORS:
            try:
                fields = next(csv.reader([header], delimiter=separator), [])
            except csv.Error:
                continue
            if self.image_column in fields and self.label_column in fields:
                return separator
        return ','

    def _find_column(self, path: Path, header: list[str], name: str) -> int:
        if header.count(name) != 1:
            raise line_error(
                path,
                1,
                ','.join(header),
                f'a column {name!r}, once; name yours by image_column and label_column',
            )
        return header.index(name)


def _warn_of_foreign(path: Path, names: list[str]) -> None:
    """Warn if a list, perhaps made from a folder, names what programs left there."""
    foreign = [name for name in names if any(map(is_foreign, name.split('/')))]
    if foreign:
        print_log(
            f"'{path}' lists {len(foreign):,} images that are hidden or were "
            f'{LEFT_BEHIND}: {", ".join(map(repr, foreign[:3]))}'
            f'{", ..." if len(foreign) > 3 else ""}. They are read, as the list names '
            'them. Fix: remove these lines if they are copies.',
            logger='current',
            level=logging.WARNING,
        )


def _is_file(path: str | Path) -> bool:
    # Unlike Path.is_file, os.path.isfile is False for a name that is too long.
    return os.path.isfile(path)  # noqa: PTH113


def _check_row(path: Path, row: Row) -> None:
    require_inside(path, row.number, row.line, row.name)
    # U+FFFD stands for bytes that are not UTF-8; a quote that is not closed takes
    # in the lines after it.
    if not row.label or any(c in row.line for c in '\n\r\0\ufffd'):
        raise line_error(
            path,
            row.number,
            row.line,
            "an image and a class name, in one line of UTF-8 text such as 'a.jpg,sad'",
        )
