"""What all data sets of face images in files share."""

import logging
from itertools import islice

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.logging import print_log
from mmpretrain.datasets import BaseDataset

from eac_mm.utils.threads import in_threads

from ..images.loading import LoadFace
from ..validate import require_choice

ON_BAD_IMAGE = ('stop', 'skip')
SHOWN = 5


class FaceDataset(BaseDataset):
    """A data set of images in files, that never replaces one by another.

    Args:
        *args: What :class:`mmpretrain.datasets.BaseDataset` takes.
        on_bad_image: What to do with an image that cannot be read (see
            :class:`~eac_mm.datasets.LoadFace`). ``'stop'``: loading it stops
            the run with its path. ``'skip'``: every image is read once when
            the data set is loaded, by several threads, and those that cannot
            be are left out, counted and named in the log. Of several
            processes, the first reads and tells the others, so that all leave
            out the same; all must load the data set. ``indices`` count what
            is left, and so do noise and noise files: a noise file of the
            whole data set does not fit. Defaults to ``'stop'``.
        **kwargs: What :class:`mmpretrain.datasets.BaseDataset` takes.
            ``max_refetch`` defaults to 0.

    Attributes:
        bad_images: With ``'skip'``, the paths left out and why.

    Raises:
        ValueError: For another ``on_bad_image``, or if no image is left.
    """

    def __init__(self, *args, on_bad_image: str = 'stop', **kwargs):
        require_choice('on_bad_image', on_bad_image, ON_BAD_IMAGE)
        self.on_bad_image = on_bad_image
        self.bad_images: dict[str, str] = {}
        kwargs.setdefault('max_refetch', 0)
        super().__init__(*args, **kwargs)

    def filter_data(self) -> list[dict]:
        """Leave out the images that cannot be read, if asked to."""
        data = super().filter_data()
        if self.on_bad_image == 'stop':
            return data
        # A file may turn bad between two processes' looks at it.
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
                'Mend data_root and the images.'
            )
        print_log(
            f'{name}: {found - kept:,} of {found:,} images are left out (on_bad_image='
            f"'skip'), for they cannot be read:\n  {listed}",
            logger='current',
            level=logging.WARNING,
        )


def loader_of(dataset: BaseDataset) -> LoadFace:
    """The loader of a data set's pipeline, or one for the local disk."""
    transforms = dataset.pipeline.transforms
    return next((t for t in transforms if isinstance(t, LoadFace)), None) or LoadFace()
