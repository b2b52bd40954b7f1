"""Read RAF-DB, the Real-world Affective Faces Database."""

from collections.abc import Sequence
from pathlib import Path

from mmpretrain.registry import DATASETS

from eac_mm.utils.files import write_atomically

from ..readers import line_error, read_lines, require_plain_name
from ..validate import require_choice, require_faces, require_folder
from .base import FaceDataset
from .expressions import EXPRESSIONS

SPLITS = ('train', 'test')
FIX = (
    'Fix: request RAF-DB at http://www.whdeng.cn/raf/model1.html (for research), '
    "point data_root at its folder 'basic', and unpack aligned.zip to Image/aligned."
)
ALIGNED = '_aligned'


@DATASETS.register_module()
class RAFDB(FaceDataset):
    """Read the seven basic expressions of RAF-DB.

    From `Reliable Crowdsourcing and Deep Locality-Preserving Learning for
    Expression Recognition in the Wild (CVPR 2017)
    <http://www.whdeng.cn/raf/model1.html>`_. It reads the official layout: ::

        data_root
        ├── EmoLabel
        │   └── list_patition_label.txt
        └── Image
            └── aligned
                ├── train_00001_aligned.jpg
                ├── ...
                ├── test_0001_aligned.jpg
                └── ...

    A line of the list is a file name and a label, ``train_00001.jpg 5``. The
    name begins with the split, and lacks the ``_aligned`` of the file on disk;
    lists that have it (``train_00001_aligned.jpg 5``) are read alike. The labels in
    the list are

    == ======== == =======
    1  surprise 5  sad
    2  fear     6  angry
    3  disgust  7  neutral
    4  happy
    == ======== == =======

    and ``gt_label`` is one less. The official list has 12,271 training and
    3,068 test faces; a list of another length is read too.

    ``ann_file`` may name a list of noisy labels in this format, such as those
    that the authors of EAC publish for training; it has no test faces.

    Each sample has ``img_path``, ``gt_label`` and ``name``, the file name in the
    list without ``_aligned``, by which a file of noisy labels finds its sample.

    Args:
        data_root: The folder that holds ``EmoLabel`` and ``Image``.
        split: ``'train'`` or ``'test'``. Defaults to ``'train'``.
        ann_file: The list, absolute or relative to ``data_root``. Defaults to
            ``'EmoLabel/list_patition_label.txt'``.
        data_prefix: The folder of the images, absolute or relative to
            ``data_root``. Defaults to ``'Image/aligned'``.
        **kwargs: ``on_bad_image`` of :class:`FaceDataset`, and the arguments of
            :class:`mmpretrain.datasets.BaseDataset`. ``max_refetch`` defaults to
            0 here: a face that cannot be read stops the run and is never replaced
            by another one.

    Raises:
        FileNotFoundError: If a folder, the list or a listed image is missing.
        ValueError: If ``split`` is unknown or has no face in the list, or a line of
            the list is malformed or repeats a face.
    """

    METAINFO = {'classes': EXPRESSIONS}
    list_ending = '.txt'

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        ann_file: str = 'EmoLabel/list_patition_label.txt',
        data_prefix: str = 'Image/aligned',
        **kwargs,
    ):
        require_choice('split', split, SPLITS)
        self.split = split
        super().__init__(
            ann_file=ann_file,
            data_root=str(Path(data_root).expanduser()),
            data_prefix=data_prefix,
            **kwargs,
        )

    def read_label_list(self, path: str | Path) -> list[tuple[str, int]]:
        """Read a list of labels in RAF-DB's format.

        Args:
            path: The list. A relative path starts at the working directory.

        Returns:
            The file name without ``_aligned``, and the label from 0, of every
            line of either split.

        Raises:
            FileNotFoundError: If the list is missing.
            ValueError: If a line is malformed or repeats a face.
        """
        path = Path(path).expanduser()
        ids = {str(i): i - 1 for i in range(1, len(EXPRESSIONS) + 1)}
        seen: dict[str, int] = {}
        rows = []
        for number, line in read_lines(path, FIX):
            name, _, label = line.partition(' ')
            require_plain_name(path, number, line, name)
            if not _split_of(name) or not label.isdecimal():
                raise line_error(path, number, line, "'train_00001.jpg 5' or the like")
            if label not in ids:
                raise line_error(path, number, line, f'a label from 1 to {len(ids)}')
            name = _name_in_list(name)
            if name in seen:
                raise line_error(
                    path,
                    number,
                    line,
                    f'each face once; it is on line {seen[name]} too',
                )
            seen[name] = number
            rows.append((name, ids[label]))
        return rows

    def write_label_list(
        self, path: str | Path, names: Sequence[str], labels: Sequence[int]
    ) -> None:
        """Write a list that :meth:`read_label_list` reads.

        Args:
            path: The file.
            names: Names of faces, as in the list.
            labels: Their labels, from 0.
        """
        rows = zip(names, labels, strict=True)
        lines = [f'{name} {label + 1}\n' for name, label in rows]
        write_atomically(path, ''.join(lines).encode())

    def load_data_list(self) -> list[dict]:
        """Read the faces of the split.

        Returns:
            ``img_path``, ``gt_label`` and ``name`` of each, in the list's order.
        """
        require_folder(Path(self.data_root), FIX)
        folder = Path(self.img_prefix)
        rows = [
            row
            for row in self.read_label_list(self.ann_file)
            if _split_of(row[0]) == self.split
        ]
        require_faces(
            rows,
            self.ann_file,
            self.split,
            f"Fix: use one whose lines begin with '{self.split}_'; lists of noisy "
            'labels have train faces only.',
        )
        files = [_file_of(name) for name, _ in rows]
        self.require_images(folder, files, FIX, self.ann_file)
        return [
            {'img_path': str(folder / file), 'gt_label': label, 'name': name}
            for file, (name, label) in zip(files, rows, strict=True)
        ]


def _split_of(name: str) -> str | None:
    """Return the split of a name: ``'train'`` of ``train_00001.jpg``."""
    return next((s for s in SPLITS if name.startswith(f'{s}_')), None)


def _name_in_list(name: str) -> str:
    """Return the official name: ``train_00001.jpg`` of ``train_00001_aligned.jpg``."""
    path = Path(name)
    return f'{path.stem.removesuffix(ALIGNED)}{path.suffix}'


def _file_of(name: str) -> str:
    """Return the name on disk: ``train_00001_aligned.jpg`` of ``train_00001.jpg``."""
    path = Path(name)
    return f'{path.stem}{ALIGNED}{path.suffix}'
