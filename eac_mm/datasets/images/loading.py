"""Load face images; an error names the file and the reason."""

from pathlib import Path

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmpretrain.registry import TRANSFORMS

from .decoding import UnreadableImage, decode


class BadImageError(ValueError):
    """An image file that cannot be used; the message names it and the fix."""


@TRANSFORMS.register_module()
class LoadFace(LoadImageFromFile):
    """Load an image as (H, W, 3) uint8 BGR, whatever kind of file it is.

    MMCV's ``LoadImageFromFile`` fails on a bad file with an error that does not
    name it, and accepts a damaged one if the decoder fills it in. This transform
    checks that the content is whole.
    :func:`~eac_mm.datasets.images.decoding.decode` documents the formats and what
    becomes of grey, 16-bit, CMYK, transparent and rotated images.

    An image without a path is passed on unchanged: MMPretrain's inferencers load
    images themselves.

    **Required Keys:**

    - img_path

    **Added Keys:**

    - img
    - img_shape
    - ori_shape

    Args:
        backend_args: The storage, in the form of MMEngine's ``fileio``.
            Defaults to None: the local disk, unless the path names another.

    Raises:
        BadImageError: A ValueError, if the file is missing (from a folder or a
            store), a folder, empty, cut, damaged or not an image. It names the path
            and the reason.
    """

    def __init__(self, backend_args: dict | None = None) -> None:
        super().__init__(backend_args=backend_args)

    def read_bytes(self, path: str | Path) -> bytes:
        """Read a file.

        Raises:
            UnreadableImage: If that fails, with the reason.
        """
        try:
            data = fileio.get(path, backend_args=self.backend_args)
        except FileNotFoundError as error:
            raise UnreadableImage('the file does not exist') from error
        except IsADirectoryError as error:
            raise UnreadableImage('it is a folder, not a file') from error
        # A null byte in a path is a ValueError.
        except (OSError, ValueError) as error:
            raise UnreadableImage(f'it cannot be read ({error})') from error
        if data is None:  # MMEngine's LmdbBackend does not complain
            raise UnreadableImage(
                f'{self.backend_args} has nothing under this name; check the path of '
                'the store, and the names in the list of images'
            )
        return data

    def find_fault(self, path: str | Path) -> str | None:
        """Return why an image cannot be used, or None if it can."""
        try:
            decode(self.read_bytes(path))
        except UnreadableImage as error:
            return str(error)
        return None

    def read(self, path: str | Path) -> np.ndarray:
        """Read an image.

        Returns:
            The image, uint8 of shape (H, W, 3), in BGR order.

        Raises:
            BadImageError: If that fails.
        """
        try:
            return decode(self.read_bytes(path))
        except UnreadableImage as error:
            raise BadImageError(
                f'The image {str(path)!r} cannot be used: {error}. Fix: replace the '
                "file, or set on_bad_image='skip' in the data set to leave out all "
                'such images; tools/check_dataset.py lists them.'
            ) from error

    def transform(self, results: dict) -> dict:
        """Add the image to ``results``."""
        if 'img_path' not in results and 'img' in results:
            return results
        img = self.read(results['img_path'])
        results['img'] = img
        results['img_shape'] = results['ori_shape'] = img.shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{self.__class__.__name__}(backend_args={self.backend_args})'
