"""Read Tiny-ImageNet, 200 classes of ImageNet at 64 pixels."""

import re
from pathlib import Path

from mmpretrain.registry import DATASETS

from .faces.base import FaceDataset
from .listing import LeftOutFiles, scan
from .readers import line_error, read_lines, require_plain_name
from .validate import require_choice, require_folder

SPLITS = ('train', 'val')
WNID = re.compile(r'n\d{8}')
FIX = (
    'Fix: unpack http://cs231n.stanford.edu/tiny-imagenet-200.zip, and point data_root '
    "at its folder 'tiny-imagenet-200'."
)


@DATASETS.register_module()
class TinyImageNet(FaceDataset):
    """Read Tiny-ImageNet in the layout of its zip file: ::

        data_root
        ├── wnids.txt                   one class per line
        ├── words.txt                   not read
        ├── train                       split 'train', 500 images per class
        │   ├── n01443537
        │   │   ├── n01443537_boxes.txt     not read
        │   │   └── images
        │   │       ├── n01443537_0.JPEG
        │   │       └── ...
        │   └── ...
        └── val                         split 'val', 50 images per class
            ├── val_annotations.txt     val_0.JPEG, class and box, tab-separated
            └── images
                ├── val_0.JPEG
                └── ...

    It was made for the `course CS231n <http://cs231n.stanford.edu>`_ and has
    100,000 training and 10,000 validation images of 64 x 64 pixels, some of
    them grey; those of its test set have no labels. What file managers and
    notebooks leave behind in the folders is left out; so are files of ``images``
    with another ending than ``.JPEG``, which the log names.

    **Classes** are the WordNet ids of ``wnids.txt``, sorted: label 0 is the
    first of them by name, as if class folders were read, and not the first line
    of ``wnids.txt``. Their names are the ids, as noise files need unique names: the
    words of ``words.txt`` are long and may be the same for two ids. Set
    ``classes`` for names of your own, in the order of the sorted ids.

    Each sample has ``img_path``, ``gt_label`` and ``name``, the file name, which is
    unique in a split.

    Args:
        data_root: The folder ``tiny-imagenet-200``.
        split: ``'train'`` or ``'val'``. Defaults to ``'train'``.
        **kwargs: ``on_bad_image`` of :class:`FaceDataset`, and the arguments of
            :class:`mmpretrain.datasets.BaseDataset`. ``max_refetch`` defaults to
            0 here: an image that cannot be read stops the run and is never
            replaced by another one.

    Raises:
        FileNotFoundError: If a folder, a list or a listed image is missing.
        ValueError: If ``split`` is unknown, a line of a list is malformed, repeats
            another or names an unknown class, or ``train`` has a folder that
            ``wnids.txt`` does not list.
    """

    def __init__(self, data_root: str, split: str = 'train', **kwargs):
        require_choice('split', split, SPLITS)
        self.split = split
        super().__init__(
            ann_file='wnids.txt' if split == 'train' else 'val/val_annotations.txt',
            data_root=str(Path(data_root).expanduser()),
            data_prefix='train' if split == 'train' else 'val/images',
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """Read the images of the split.

        Returns:
            ``img_path``, ``gt_label`` and ``name`` of each: by class and file
            name in training, in the list's order in validation.
        """
        root = Path(self.data_root)
        require_folder(root, FIX)
        wnids = read_wnids(root / 'wnids.txt')
        self._metainfo.setdefault('classes', tuple(wnids))
        labels = {wnid: label for label, wnid in enumerate(wnids)}
        folder = Path(self.img_prefix)
        if self.split == 'train':
            return _read_train(folder, labels)
        data = _read_val(folder, Path(self.ann_file), labels)
        self.require_images(folder, (info['name'] for info in data), FIX)
        return data


def read_wnids(path: Path) -> list[str]:
    """Read ``wnids.txt``.

    Args:
        path: The file.

    Returns:
        The WordNet ids, sorted.

    Raises:
        FileNotFoundError: If the file is missing.
        ValueError: If it is empty, or a line is not a WordNet id or repeats one.
    """
    seen: dict[str, int] = {}
    for number, line in read_lines(path, FIX):
        if not WNID.fullmatch(line):
            raise line_error(path, number, line, "a WordNet id such as 'n01443537'")
        if line in seen:
            raise line_error(
                path, number, line, f'each class once; it is on line {seen[line]} too'
            )
        seen[line] = number
    if not seen:
        raise ValueError(f"'{path}' lists no class. {FIX}")
    return sorted(seen)


def _read_train(folder: Path, labels: dict[str, int]) -> list[dict]:
    require_folder(folder, FIX)
    left_out = LeftOutFiles(folder)
    unknown = set(scan(folder, left_out)[0]) - set(labels)
    if unknown:
        raise ValueError(
            f"'{folder}' has {len(unknown)} folders that wnids.txt does not list "
            f'(first: {min(unknown)}). {FIX}'
        )
    data = []
    for wnid, label in labels.items():
        images = folder / wnid / 'images'
        require_folder(images, FIX)
        names = []
        for name in scan(images, left_out)[1]:
            if name.endswith('.JPEG'):
                names.append(name)
            else:
                left_out.add('with another ending than .JPEG', images / name)
        if not names:
            raise FileNotFoundError(f"'{images}' holds no .JPEG image. {FIX}")
        data += [
            {'img_path': str(images / name), 'gt_label': label, 'name': name}
            for name in names
        ]
    left_out.log('TinyImageNet')
    return data


def _read_val(folder: Path, path: Path, labels: dict[str, int]) -> list[dict]:
    seen: dict[str, int] = {}
    data = []
    for number, line in read_lines(path, FIX):
        name, wnid, *_ = (*line.split('\t'), '', '')
        require_plain_name(path, number, line, name)
        if wnid not in labels:
            raise line_error(
                path,
                number,
                line,
                "'val_0.JPEG', a tab and a class of wnids.txt, such as "
                f'{next(iter(labels))!r}',
            )
        if name in seen:
            raise line_error(
                path, number, line, f'each image once; it is on line {seen[name]} too'
            )
        seen[name] = number
        data.append(
            {'img_path': str(folder / name), 'gt_label': labels[wnid], 'name': name}
        )
    if not data:
        raise ValueError(f"'{path}' lists no image. {FIX}")
    return data
