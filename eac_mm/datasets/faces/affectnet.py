"""Read AffectNet, faces from web searches in seven or eight expressions."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from mmpretrain.registry import DATASETS

from ..readers import line_error
from ..validate import require_choice, require_faces, require_folder, require_images
from .affectnet_files import FIX, read_annotations, read_rows
from .base import FaceDataset
from .expressions import CLASSES

LAYOUTS = ('auto', 'csv', 'npy')
LISTS = {'train': 'training.csv', 'val': 'validation.csv'}


@DATASETS.register_module()
class AffectNet(FaceDataset):
    """Read the manually annotated faces of AffectNet.

    From `AffectNet: A Database for Facial Expression, Valence, and Arousal
    Computing in the Wild (TAC 2017) <https://arxiv.org/abs/1708.03985>`_. It
    reads both official layouts. ``'csv'`` is the first release: ::

        data_root
        ├── training.csv      split 'train'
        ├── validation.csv    split 'val'
        └── Manually_Annotated_Images
            ├── 1
            │   ├── 0a1b...ff.jpg
            │   └── ...
            └── ...

    with the columns ``subDirectory_filePath`` (``1/0a1b...ff.jpg``),
    ``face_x``, ``face_y``, ``face_width``, ``face_height``,
    ``facial_landmarks``, ``expression``, ``valence`` and ``arousal``.
    ``'npy'`` is the later one, whose faces are cropped already: ::

        data_root
        ├── train_set         split 'train'
        │   ├── images
        │   │   ├── 0.jpg         or 0.png
        │   │   └── ...
        │   └── annotations
        │       ├── 0_exp.npy     expression id, text or an integer
        │       ├── 0_aro.npy     not read, as are those below
        │       ├── 0_val.npy
        │       ├── 0_lnd.npy
        │       └── ...
        └── val_set           split 'val'
            └── ...

    The test set is not public: papers test on ``'val'``. What file managers and
    notebooks leave behind in these folders is ignored.

    **Classes.** The order is RAF-DB's, not AffectNet's, so that one model
    serves both data sets:

    ===== ======== ==  ===== ======== ==
    label class    id  label class    id
    ===== ======== ==  ===== ======== ==
    0     surprise 3   4     sad      2
    1     fear     4   5     angry    6
    2     disgust  5   6     neutral  0
    3     happy    1   7     contempt 7
    ===== ======== ==  ===== ======== ==

    Faces of the ids 8 (none), 9 (uncertain) and 10 (no face) are left out, and so
    is contempt unless ``num_classes`` is 8. By the counts that AffectNet's
    authors publish, this leaves

    =========== ======= =====
    num_classes train   val
    =========== ======= =====
    7           283,901 3,500
    8           287,651 4,000
    =========== ======= =====

    faces; other sizes are read too. The paper of EAC has 286,564 and 4,000, with 8
    classes. The training faces are far from balanced (half of them are happy);
    ``'val'`` has 500 of each class. :class:`~eac_mm.engine.ClassBalancedSampler`
    draws equally often from all classes.

    Each sample has ``img_path``, ``gt_label`` and ``name``, the path as in the
    csv or the file name, by which a file of noisy labels finds its sample. An
    image that is listed twice with one label counts twice.

    Args:
        data_root: The folder of either tree.
        split: ``'train'`` or ``'val'``. Defaults to ``'train'``.
        num_classes: 7, or 8 with contempt. Defaults to 7.
        layout: ``'csv'``, ``'npy'``, or ``'auto'`` for the one that exists.
            Defaults to ``'auto'``.
        crop: Whether to pass on the face box, for :class:`CropFace` right after
            loading: each sample has ``bbox``, (left, top, width, height) in
            pixels, or None if the csv has no box of positive size. Layout
            ``'csv'`` only. Defaults to False.
        ann_file: The csv, absolute or relative to ``data_root``. Defaults to
            ``'training.csv'`` or ``'validation.csv'``.
        data_prefix: The folder of the csv's images, absolute or relative to
            ``data_root``. Defaults to ``'Manually_Annotated_Images'``.
        **kwargs: ``on_bad_image`` of :class:`FaceDataset`, and the arguments of
            :class:`mmpretrain.datasets.BaseDataset`. ``max_refetch`` defaults to
            0 here: a face that cannot be read stops the run and is never replaced
            by another one.

    Raises:
        FileNotFoundError: If a folder, the csv, a listed image or the
            expression of an image is missing.
        ValueError: If an argument is unknown, both layouts exist, ``crop`` is
            used with layout ``'npy'``, the split has no face, or a row of the csv
            or an ``_exp.npy`` is malformed or contradicts another.
    """

    METAINFO = {'classes': CLASSES[7]}

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        num_classes: int = 7,
        layout: str = 'auto',
        crop: bool = False,
        ann_file: str | None = None,
        data_prefix: str = 'Manually_Annotated_Images',
        **kwargs,
    ):
        require_choice('split', split, tuple(LISTS))
        require_choice('num_classes', num_classes, tuple(CLASSES))
        require_choice('layout', layout, LAYOUTS)
        self.split = split
        self.num_classes = num_classes
        self.layout = layout
        self.crop = crop
        kwargs.setdefault('classes', CLASSES[num_classes])
        super().__init__(
            ann_file=ann_file or LISTS[split],
            data_root=str(Path(data_root).expanduser()),
            data_prefix=data_prefix,
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Read the faces of the split.

        Returns:
            ``img_path``, ``gt_label`` and ``name`` of each, and ``bbox`` if asked
            for: in the csv's order, or by number.
        """
        require_folder(Path(self.data_root), FIX)
        folder = Path(self.data_root) / f'{self.split}_set'
        if self._find_layout(folder) == 'csv':
            faces = self._read_csv(Path(self.ann_file), Path(self.img_prefix))
            source = self.ann_file
        else:
            faces = self._read_npy(folder)
            source = folder
        fix = 'Fix: use one whose expressions are 0 to 7.'
        require_faces(faces, source, self.split, fix)
        return faces

    def _find_layout(self, folder: Path) -> str:
        if self.layout != 'auto':
            return self.layout
        csv = Path(self.ann_file)
        if csv.is_file() and folder.is_dir():
            raise ValueError(
                f"both '{csv}' and '{folder}' exist. Fix: choose one by "
                "layout='csv' or layout='npy'."
            )
        if not csv.is_file() and not folder.is_dir():
            raise FileNotFoundError(
                f"Neither '{csv}' nor the folder '{folder}' exists. {FIX}"
            )
        return 'csv' if csv.is_file() else 'npy'

    def _read_csv(self, path: Path, folder: Path) -> list[dict]:
        faces = []
        classes = CLASSES[self.num_classes]
        seen: dict[str, tuple[int, int]] = {}
        for row in read_rows(path, self.crop):
            if row.expression not in classes:
                continue
            label = classes.index(row.expression)
            first, known = seen.setdefault(row.name, (row.number, label))
            if label != known:
                raise line_error(
                    path,
                    row.number,
                    row.line,
                    f'the expression of line {first}, {classes[known]!r}, for the '
                    f'same image; this one is {row.expression!r}',
                )
            face = {
                'img_path': str(folder / row.name),
                'gt_label': label,
                'name': row.name,
            }
            if self.crop:
                face['bbox'] = row.box
            faces.append(face)
        require_folder(folder, FIX)
        if self.on_bad_image == 'stop':  # 'skip' leaves missing images out
            _require_images_inside(folder, seen)
        return faces

    def _read_npy(self, folder: Path) -> list[dict]:
        if self.crop:
            raise ValueError(
                f"crop=True needs the face boxes of layout 'csv', and '{folder}' is of "
                "layout 'npy', whose faces are cropped already. Fix: set crop=False, "
                'and remove CropFace from the pipeline.'
            )
        classes = CLASSES[self.num_classes]
        images = folder / 'images'
        return [
            {
                'img_path': str(images / name),
                'gt_label': classes.index(expression),
                'name': name,
            }
            for name, expression in read_annotations(
                images, folder / 'annotations', self.on_bad_image == 'skip'
            )
            if expression in classes
        ]


def _require_images_inside(folder: Path, names: Iterable[str]) -> None:
    """Check that listed images exist, by one listing of each folder."""
    files = defaultdict(list)
    for name in names:
        parent, _, file = name.rpartition('/')
        files[parent].append(file)
    for parent, inside in files.items():
        require_images(folder / parent, inside, FIX)
