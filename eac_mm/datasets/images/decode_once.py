"""The part of a pipeline that gives the same image in every epoch."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from eac_mm.utils.threads import in_threads

from ..transforms import SeedAugmentation

Transform = Callable[[dict], dict | None]


def split_pipeline(dataset: Any) -> tuple[list[Transform], list[Transform]]:
    """Transforms before ``SeedAugmentation``, and those from there on.

    The first are the same in every epoch, by the rule that whatever draws at
    random comes after ``SeedAugmentation``.

    Raises:
        ValueError: Where the data set has no pipeline of its own, or one without
            ``SeedAugmentation``.
    """
    if not isinstance(dataset, BaseDataset):
        raise ValueError(
            f'a cache needs a data set with a pipeline, and {type(dataset).__name__} '
            'is no BaseDataset (a wrapper, or several in one). Mend: '
            'train_dataloader.dataset.cache=none.'
        )
    transforms = list(dataset.pipeline.transforms)
    for i, transform in enumerate(transforms):
        if isinstance(transform, SeedAugmentation):
            return transforms[:i], transforms[i:]
    names = [type(transform).__name__ for transform in transforms]
    raise ValueError(
        'a cache keeps what the pipeline gives before dict(type="SeedAugmentation"), '
        f'and there is none in {names}. Mend: put it before the first random '
        'transform, or set train_dataloader.dataset.cache=none.'
    )


class DecodeOnce:
    """Bring images of a data set to where chance begins, and check them.

    Args:
        dataset: A data set whose pipeline holds ``SeedAugmentation``.

    Attributes:
        shape: Shape of every image, that of the first: (H, W) or (H, W, C).

    Raises:
        ValueError: See :func:`split_pipeline`.
    """

    def __init__(self, dataset: BaseDataset) -> None:
        self.dataset = dataset
        self.prefix, _ = split_pipeline(dataset)
        self.shape = None
        self.shape = self(0)[0].shape

    def __call__(self, idx: int) -> tuple[np.ndarray, dict]:
        """Image ``idx`` (uint8) and whatever else the transforms have set.

        Raises:
            ValueError: Where the image is of another size or kind.
        """
        results = self.dataset.get_data_info(idx)
        for transform in self.prefix:
            results = transform(results)
        img = results.pop('img', None)
        name = results.get('img_path', f'image {idx}')
        if not isinstance(img, np.ndarray) or img.dtype != np.uint8:
            raise ValueError(
                f'{name}: a cache needs a uint8 image before SeedAugmentation, and the '
                f'pipeline gives {getattr(img, "dtype", type(img).__name__)}. Mend the '
                'pipeline, or set train_dataloader.dataset.cache=none.'
            )
        if self.shape not in (None, img.shape):
            raise ValueError(
                f'{name} is of shape {img.shape}, the images before it are of '
                f'{self.shape} (height, width, channels); a cache needs one size. '
                'Mend: dict(type="Resize", scale=(224, 224)) before SeedAugmentation, '
                'or train_dataloader.dataset.cache=none.'
            )
        return img, results

    def each(self, keep: Callable[[int, np.ndarray, dict], Any]) -> Iterator:
        """Decode all images in threads.

        Args:
            keep: What to do with (index, image, other keys), in the thread.

        Yields:
            What ``keep`` returns, in the order of the images.
        """
        return in_threads(lambda i: keep(i, *self(i)), range(len(self.dataset)))
