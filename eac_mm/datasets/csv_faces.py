"""Your own faces, listed in a csv file."""

import csv
from collections.abc import Sequence
from pathlib import Path

from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS

from .checks import line_error, require_file, require_folder

MEND = 'Mend data_root and ann_file: ann_file counts from data_root.'


@DATASETS.register_module()
class CSVFaces(BaseDataset):
    """Faces listed in a csv file whose first line names the columns: ::

        image,label
        2019/anna.jpg,happy
        2019/ben.png,sad

    Other columns are left alone. Images in one folder a class need no list:
    MMPretrain's ``CustomDataset`` reads them.

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
        **kwargs: What :class:`mmpretrain.datasets.BaseDataset` takes.

    Raises:
        FileNotFoundError: If the folder, the list or an image is missing.
        ValueError: If a column is missing, a label is unknown, a path leaves
            the folder, or no face is listed.
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
        kwargs.setdefault('max_refetch', 0)
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
        with path.open(newline='', encoding='utf-8-sig') as file:
            rows = csv.DictReader(file)
            for column in (self.image_column, self.label_column):
                if column not in (rows.fieldnames or ()):
                    raise line_error(
                        path,
                        1,
                        ','.join(rows.fieldnames or ()),
                        f'a column {column!r}; name yours by image_column and '
                        'label_column',
                    )
            faces = [
                (rows.line_num, row[self.image_column], row[self.label_column])
                for row in rows
            ]
        if not faces:
            raise ValueError(f"'{path}' lists no face.")
        if self.CLASSES is None:
            self._metainfo['classes'] = tuple(sorted({f[2] or '' for f in faces}))
        return [self._read_face(path, folder, *face) for face in faces]

    def _read_face(
        self, path: Path, folder: Path, number: int, name: str, label: str
    ) -> dict:
        line = f'{name},{label}'
        if not label or label not in self.class_to_idx:
            raise line_error(path, number, line, f'a class of {tuple(self.CLASSES)}')
        inside = Path(name or '..')
        if inside.is_absolute() or '..' in inside.parts:
            raise line_error(path, number, line, f"the path of an image in '{folder}'")
        if not (folder / inside).is_file():
            raise FileNotFoundError(
                f"{path}:{number}: the image '{folder / inside}' does not exist. {MEND}"
            )
        return {
            'img_path': str(folder / inside),
            'gt_label': self.class_to_idx[label],
            'name': name,
        }
