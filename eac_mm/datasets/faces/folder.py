"""Your own faces, one folder a class."""

from collections.abc import Sequence
from pathlib import Path

from mmpretrain.registry import DATASETS

from ..validate import require_folder
from .base import FaceDataset

EXTENSIONS = ('.bmp', '.gif', '.jpeg', '.jpg', '.pgm', '.png', '.ppm', '.tif', '.tiff')
EXTENSIONS += ('.webp',)


@DATASETS.register_module()
class FolderFaces(FaceDataset):
    """Faces in one folder a class, labelled by the folders' names: ::

        data_root
        └── data_prefix
            ├── happy
            │   ├── 1.jpg
            │   └── 2019
            │       └── 7.png
            └── sad
                └── 3.jpg

    MMPretrain's ``CustomDataset`` numbers the classes by the sorted folders,
    whatever order ``classes`` has; here the label is the name's place in
    ``classes``.

    Args:
        data_root: The folder.
        data_prefix: Folder in ``data_root``, such as ``'train'``. Defaults to
            ``data_root`` itself.
        classes: Folder names, in the order of the labels. Defaults to those
            that are there, sorted; name them where a split may lack one.
        **kwargs: ``on_bad_image`` of :class:`FaceDataset`, and what
            :class:`mmpretrain.datasets.BaseDataset` takes.

    Raises:
        FileNotFoundError: If the folder is missing.
        ValueError: If it has no class folder, one that ``classes`` does not
            name, or one of ``classes`` is missing or has no image.
    """

    def __init__(
        self,
        data_root: str,
        data_prefix: str = '',
        classes: Sequence[str] | None = None,
        **kwargs,
    ):
        super().__init__(
            ann_file='',
            data_root=str(Path(data_root).expanduser()),
            data_prefix=data_prefix,
            classes=classes,
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Read the folders.

        Returns:
            ``img_path``, ``gt_label`` and ``name`` of each face, by class and
            name.
        """
        root = Path(self.img_prefix or self.data_root)
        require_folder(root, 'Mend data_root and data_prefix.')
        found = sorted(p.name for p in root.iterdir() if p.is_dir())
        if self.CLASSES is None:
            self._metainfo['classes'] = tuple(found)
        missing = [name for name in self.CLASSES if name not in found]
        unknown = [name for name in found if name not in self.CLASSES]
        if not found or missing or unknown:
            raise ValueError(
                f"'{root}' has the class folders {found}; classes={self.CLASSES} "
                f'lacks {unknown} and names {missing}, which are not there. Mend '
                'classes, or the folders.'
            )
        return [
            face
            for label, name in enumerate(self.CLASSES)
            for face in self._read_class(root, name, label)
        ]

    def _read_class(self, root: Path, name: str, label: int) -> list[dict]:
        paths = sorted(
            path
            for path in (root / name).rglob('*')
            if path.suffix.lower() in EXTENSIONS and path.is_file()
        )
        if not paths:
            raise ValueError(
                f"the class folder '{root / name}' has no image. Allowed endings: "
                f'{", ".join(EXTENSIONS)}. Mend: put its images there, or leave the '
                'class out of classes and remove the folder.'
            )
        return [
            {
                'img_path': str(path),
                'gt_label': label,
                'name': path.relative_to(root).as_posix(),
            }
            for path in paths
        ]
