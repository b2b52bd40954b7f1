"""Faces of your own in one folder per class."""

from collections.abc import Sequence
from pathlib import Path

from mmpretrain.registry import DATASETS

from eac_mm.utils.image_formats import readable_endings

from ..listing import LeftOutFiles, find_images, is_foreign, scan
from ..validate import require_folder
from .base import FaceDataset, class_names, sort_classes


@DATASETS.register_module()
class FolderFaces(FaceDataset):
    """Read faces from one folder per class, labelled by the folders' names: ::

        data_root
        └── data_prefix
            ├── happy
            │   ├── 1.jpg
            │   └── 2019
            │       └── 7.png
            └── sad
                └── 3.jpg

    MMPretrain's ``CustomDataset`` numbers the classes by the sorted folders,
    whatever order ``classes`` has; here the label is the name's position in
    ``classes``.

    **Files that are not faces.** What file managers, notebooks and editors leave
    behind at any depth (``.ipynb_checkpoints``, ``.DS_Store``, ``Thumbs.db``,
    ``__MACOSX``; :func:`~eac_mm.datasets.listing.is_foreign`) is neither a face nor
    a class. It is left out, and so are files with an ending that is not read,
    broken links and files beside the class folders. The log counts them by reason
    and names a few. HEIC needs ``pip install pillow-heif``, AVIF a Pillow with AVIF
    (11.3 or later).

    Args:
        data_root: The folder.
        data_prefix: Folder in ``data_root``, such as ``'train'``. Defaults to
            ``data_root`` itself.
        classes: Folder names, in the order of the labels; integers stand for their
            digits. Defaults to the folders that exist, sorted (by number if all
            names are integers); name them if a split may lack one.
        **kwargs: ``on_bad_image`` of :class:`FaceDataset`, and the arguments of
            :class:`mmpretrain.datasets.BaseDataset`.

    Raises:
        FileNotFoundError: If the folder is missing.
        ValueError: If it has no class folder, one that ``classes`` does not
            name, or one of ``classes`` is missing or has no image.
    """

    def __init__(
        self,
        data_root: str,
        data_prefix: str = '',
        classes: Sequence[str | int] | None = None,
        **kwargs,
    ):
        super().__init__(
            ann_file='',
            data_root=str(Path(data_root).expanduser()),
            data_prefix=data_prefix,
            classes=class_names(classes),
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Read the folders.

        Returns:
            ``img_path``, ``gt_label`` and ``name`` of each face, by class and
            name.
        """
        root = Path(self.img_prefix or self.data_root)
        require_folder(root, 'Fix: correct data_root or data_prefix.')
        left_out = LeftOutFiles(root)
        found, beside = scan(root, left_out)
        for name in beside:
            left_out.add('beside the class folders, in none of them', root / name)
        if self.CLASSES is None:
            self._metainfo['classes'] = sort_classes(found)
        self._require_classes(root, found)
        faces = [
            face
            for label, name in enumerate(self.CLASSES)
            for face in self._read_class(root, name, label, left_out)
        ]
        left_out.log(type(self).__name__)
        return faces

    def _require_classes(self, root: Path, found: list[str]) -> None:
        foreign = [name for name in self.CLASSES if is_foreign(name)]
        if foreign:
            raise ValueError(
                f'classes={self.CLASSES} names {foreign}, which are names of hidden '
                'or system folders and never read. Fix: rename these folders.'
            )
        missing = [name for name in self.CLASSES if name not in found]
        unknown = [name for name in found if name not in self.CLASSES]
        if not found or missing or unknown:
            raise ValueError(
                f"'{root}' has the class folders {found}; classes={self.CLASSES} "
                f'lacks {unknown} and names {missing}, which do not exist. Fix: '
                'correct classes, or the folders.'
            )

    def _read_class(
        self, root: Path, name: str, label: int, left_out: LeftOutFiles
    ) -> list[dict]:
        paths = find_images(root / name, left_out)
        if not paths:
            others = f' Left out so far:\n  {left_out}' if left_out.counts else ''
            raise ValueError(
                f"the class folder '{root / name}' has no image. Allowed endings: "
                f'{", ".join(readable_endings())}. Fix: put its images there, or '
                f'remove the folder and its name in classes.{others}'
            )
        return [
            {
                'img_path': str(path),
                'gt_label': label,
                'name': path.relative_to(root).as_posix(),
            }
            for path in paths
        ]
