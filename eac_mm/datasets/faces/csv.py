"""Your own faces, listed in a csv file."""

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from mmpretrain.registry import DATASETS

from ..readers import line_error, require_inside
from ..validate import require_file, require_folder
from .base import FaceDataset

MEND = 'Mend data_root and ann_file: ann_file counts from data_root.'


class Row(NamedTuple):
    """A row of the file: its last line's number, image path and class name."""

    number: int
    name: str
    label: str

    @property
    def line(self) -> str:
        """The two fields, for errors."""
        return f'{self.name},{self.label}'


@DATASETS.register_module()
class CSVFaces(FaceDataset):
    """Faces listed in a csv file whose first line names the columns: ::

        image,label
        2019/anna.jpg,happy
        2019/ben.png,sad

    The file is UTF-8. Other columns are left alone. An image that is listed
    twice with one label counts twice. Images in one folder a class need no
    list: :class:`FolderFaces` reads them.

    Args:
        data_root: Folder of the csv file.
        ann_file: The csv file, relative to ``data_root`` or absolute.
        data_prefix: Folder that the images' names count from, relative to
            ``data_root``. Defaults to ``data_root`` itself.
        classes: Class names, in the order of the labels. Defaults to those in
            the file, sorted; name them where a split may lack one.
        image_column: Name of the column of image paths. Defaults to
            ``'image'``.
        label_column: Name of the column of class names. Defaults to
            ``'label'``.
        **kwargs: ``on_bad_image`` of :class:`FaceDataset`, and what
            :class:`mmpretrain.datasets.BaseDataset` takes.

    Raises:
        FileNotFoundError: If the folder, the list or an image is missing.
        ValueError: If the file is no csv file in UTF-8, a column is missing, a
            label is unknown, a path leaves the folder, an image is listed with
            two labels, or no face is listed.
    """

    def __init__(
        self,
        data_root: str,
        ann_file: str,
        data_prefix: str = '',
        classes: Sequence[str] | None = None,
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
            classes=classes,
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Read the faces.

        Returns:
            ``img_path``, ``gt_label`` and ``name`` of each, in the file's order.
        """
        path, folder = Path(self.ann_file), Path(self.img_prefix or self.data_root)
        require_folder(Path(self.data_root), MEND)
        require_file(path, MEND)
        require_folder(folder, MEND)
        rows = list(self._read_rows(path))
        if not rows:
            raise ValueError(f"'{path}' lists no face.")
        if self.CLASSES is None:
            self._metainfo['classes'] = tuple(sorted({row.label for row in rows}))
        numbers = self.class_to_idx
        seen: dict[str, Row] = {}
        faces = []
        for row in rows:
            if row.label not in numbers:
                raise line_error(
                    path, row.number, row.line, f'a class of {tuple(self.CLASSES)}'
                )
            image = str(folder / row.name)
            first = seen.setdefault(image, row)
            if row.label != first.label:
                raise line_error(
                    path,
                    row.number,
                    row.line,
                    f'the label of line {first.number}, {first.label!r}, for the same '
                    'image',
                )
            # Unlike Path.is_file, this is False for a name that is too long.
            if first is row and not os.path.isfile(image):  # noqa: PTH113
                raise FileNotFoundError(
                    f'{path}:{row.number}: the image {image!r} does not exist. {MEND}'
                )
            face = {'img_path': image, 'gt_label': numbers[row.label], 'name': row.name}
            faces.append(face)
        return faces

    def _read_rows(self, path: Path) -> Iterator[Row]:
        # 'replace' leaves it to the checks to complain, with the line.
        with path.open(newline='', encoding='utf-8-sig', errors='replace') as file:
            table = csv.reader(file, strict=True)
            try:
                header = next(table, [])
                image = self._find_column(path, header, self.image_column)
                label = self._find_column(path, header, self.label_column)
                for fields in filter(None, table):
                    if len(fields) != len(header):
                        raise line_error(
                            path,
                            table.line_num,
                            ','.join(fields),
                            f'{len(header)} fields, found {len(fields)}',
                        )
                    row = Row(table.line_num, fields[image], fields[label])
                    _check_row(path, row)
                    yield row
            except csv.Error as error:
                raise line_error(
                    path, table.line_num, '...', f'a csv row ({error})'
                ) from error

    def _find_column(self, path: Path, header: list[str], name: str) -> int:
        if header.count(name) != 1:
            raise line_error(
                path,
                1,
                ','.join(header),
                f'a column {name!r}, once; name yours by image_column and label_column',
            )
        return header.index(name)


def _check_row(path: Path, row: Row) -> None:
    require_inside(path, row.number, row.line, row.name)
    # U+FFFD stands for what was no UTF-8; a quote that is not closed takes in
    # the lines after it.
    if not row.label or any(c in row.line for c in '\n\r\0\ufffd'):
        raise line_error(
            path,
            row.number,
            row.line,
            "an image and a class name, in one line of UTF-8 text such as 'a.jpg,sad'",
        )
