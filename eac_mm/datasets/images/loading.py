"""Read a face image, or say which file is wrong and why."""

from pathlib import Path

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmpretrain.registry import TRANSFORMS

from .decoding import UnreadableImage, decode


class BadImageError(ValueError):
    """An image file that cannot be used; the message names it and the mend."""


@TRANSFORMS.register_module()
class LoadFace(LoadImageFromFile):
    """Load an image as (H, W, 3) uint8 BGR, whatever kind of file it is.

    MMCV's ``LoadImageFromFile`` fails on a bad file with ``failed to load
    image`` or an error that does not name it, and takes what the decoder gives
    for a damaged one. Here the content is checked to be whole;
    :func:`~eac_mm.datasets.images.decoding.decode` says what becomes of grey, 16-bit,
    CMYK, transparent and rotated images.

    An image that comes without a path is passed on as it is: MMPretrain's
    inferencers load images themselves.

    **Required Keys:**

    - img_path

    **Added Keys:**

    - img
    - img_shape
    - ori_shape

    Args:
        backend_args: Where files lie, as MMEngine's ``fileio`` takes it.
            Defaults to None, the local disk unless the path says otherwise.

    Raises:
        BadImageError: A ValueError, if the file is missing (from a folder or a
            store), a folder, empty, cut, damaged or no image. It names the path and
            the reason.
    """

    def __init__(self, backend_args: dict | None = None) -> None:
        super().__init__(backend_args=backend_args)

    def read_bytes(self, path: str | Path) -> bytes:
        """Read a file.

        Raises:
            UnreadableImage: With the reason, where that fails.
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
                f'{self.backend_args} has nothing under this name; see its path, and '
                'the names in the list of images'
            )
        return data

    def find_fault(self, path: str | Path) -> str | None:
        """Say why an image cannot be used; None where it can."""
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
            BadImageError: Where that fails.
        """
        try:
            return decode(self.read_bytes(path))
        except UnreadableImage as error:
            raise BadImageError(
                f'The image {str(path)!r} cannot be used: {error}. Mend: replace the '
                "file, or leave out all that are so by on_bad_image='skip' of the "
                'data set; tools/check_dataset.py lists them.'
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
