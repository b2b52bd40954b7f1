"""Read face images from files, and never replace one image by another."""

import logging
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log
from mmpretrain.datasets import BaseDataset

from eac_mm.utils.threads import in_threads

from ..images.loading import LoadFace
from ..validate import require_choice, require_folder, require_images

ON_BAD_IMAGE = ('stop', 'skip')
SHOWN = 5


class FaceDataset(BaseDataset):
    """A data set of images in files that never replaces one image by another.

    Args:
        *args: Arguments of :class:`mmpretrain.datasets.BaseDataset`.
        on_bad_image: What to do with an image that is missing or cannot be read
            (see :class:`~eac_mm.datasets.LoadFace`). ``'stop'``: a missing image is
            an error when the data set is loaded, and an unreadable one stops the
            run with its path. ``'skip'``: every image is read once when the data
            set is loaded, by several threads, and bad ones are left out, counted
            and named in the log. If there are several processes, the first reads
            and tells the others, so that all leave out the same; all must load the
            data set. ``indices``, noise rates and noise files count the images that
            are left: a noise file of the whole data set does not fit. Defaults to
            ``'stop'``.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`.
            ``max_refetch`` defaults to 0.

    Attributes:
        bad_images: With ``'skip'``, the reason for each path that is left out.

    Raises:
        ValueError: For another ``on_bad_image``, or if no image is left.
    """

    def __init__(self, *args, on_bad_image: str = 'stop', **kwargs):
        require_choice('on_bad_image', on_bad_image, ON_BAD_IMAGE)
        self.on_bad_image = on_bad_image
        self.bad_images: dict[str, str] = {}
        kwargs.setdefault('max_refetch', 0)
        super().__init__(*args, **kwargs)

    def require_images(
        self, folder: Path, names: Iterable[str], fix: str, source: str | Path = ''
    ) -> None:
        """Check that a folder and the listed images exist.

        With ``on_bad_image='skip'`` the folder alone must exist: missing images are
        left out like unreadable ones.

        Args:
            folder: The folder of the images.
            names: Their file names.
            fix: How to get them.
            source: The file that lists them, for the error.

        Raises:
            FileNotFoundError: If the folder or an image is missing.
        """
        if self.on_bad_image == 'skip':
            require_folder(folder, fix)
        else:
            require_images(folder, names, fix, source)

    def filter_data(self) -> list[dict]:
        """Leave out the images that cannot be read, if asked to."""
        data = super().filter_data()
        if self.on_bad_image == 'stop':
            return data
        # A file may turn bad after one process has read it and before another does.
        bad = [self._find_bad_images(data) if is_main_process() else {}]
        broadcast_object_list(bad)
        self.bad_images = bad[0]
        kept = [info for info in data if info['img_path'] not in self.bad_images]
        self._report(len(data), len(kept))
        return kept

    def _find_bad_images(self, data: list[dict]) -> dict[str, str]:
        paths = list(dict.fromkeys(info['img_path'] for info in data))
        faults = in_threads(loader_of(self).find_fault, paths)
        return {path: why for path, why in zip(paths, faults, strict=True) if why}

    def _report(self, found: int, kept: int) -> None:
        name = type(self).__name__
        if not self.bad_images:
            text = f'{name}: all {found:,} images can be read.'
            print_log(text, logger='current')
            return
        shown = [f'{p!r}: {why}' for p, why in islice(self.bad_images.items(), SHOWN)]
        if len(self.bad_images) > SHOWN:
            shown.append(f'and {len(self.bad_images) - SHOWN:,} more')
        listed = '\n  '.join(shown)
        if not kept:
            raise ValueError(
                f'{name}: none of its {found:,} images can be read:\n  {listed}\n'
                'Fix: correct data_root, or replace the images.'
            )
        print_log(
            f'{name}: {found - kept:,} of {found:,} images cannot be read and are left '
            f"out (on_bad_image='skip'):\n  {listed}",
            logger='current',
            level=logging.WARNING,
        )


def loader_of(dataset: BaseDataset) -> LoadFace:
    """Return the LoadFace of a data set's pipeline, or one for the local disk."""
    transforms = dataset.pipeline.transforms
    return next((t for t in transforms if isinstance(t, LoadFace)), None) or LoadFace()


def class_names(classes: Sequence[str | int] | str | None) -> list[str] | str | None:
    """Turn integers among class names into text, as files and folders hold them.

    Args:
        classes: The names, or what MMPretrain takes in their place: a file of
            names, or None.
    """
    if classes is None or isinstance(classes, str):
        return classes
    return [str(name) for name in classes]


def sort_classes(names: Iterable[str]) -> tuple[str, ...]:
    """Sort class names: by number if all are integers, as text otherwise."""
    names = set(names)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))
