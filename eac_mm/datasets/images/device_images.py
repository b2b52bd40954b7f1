"""A data set's images on the training device, augmented in batches."""

import math
import time

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from torch import Tensor

from .batch_single import settle_all
from .batch_transforms import Views, build_batch_transforms
from .decode_once import DecodeOnce, split_pipeline
from .memory import GB, free_on, require_room


class DeviceImages:
    """Images that lie where the network trains, augmented there.

    The transforms after ``SeedAugmentation`` say how, and are not run
    themselves: see :mod:`~eac_mm.datasets.images.batch_transforms`. What a
    sample gets follows from (seed, epoch, index of the sample) alone, but is
    another draw than that of the transform.

    Args:
        dataset: A data set whose pipeline gives uint8 images (H, W, C) of one
            size before ``SeedAugmentation``.
        device: Where to keep the images.
        reverse: Reverse the order of the channels.
        channels_last: Lay the batches out channels last.

    Raises:
        ValueError: Where pipeline or images are not so, or a transform is none
            that can be done in batches.
        BadImageError: Where an image cannot be used.
        MemoryError: Where the images do not fit on the device.
    """

    def __init__(
        self,
        dataset: BaseDataset,
        device: torch.device | str = 'cpu',
        reverse: bool = False,
        channels_last: bool = False,
    ) -> None:
        start = time.perf_counter()
        self.reverse, self.channels_last = reverse, channels_last
        self.seeding, *transforms = split_pipeline(dataset)[1]
        self.ori_shapes = np.zeros((len(dataset), 2), int)
        self.transforms = build_batch_transforms(transforms, self.ori_shapes)
        self._settled = None

        decode = DecodeOnce(dataset)
        if len(decode.shape) != 3:
            raise ValueError(
                f"cache='device' needs images of height, width and channels, and got "
                f'{decode.shape}. Mend: train_dataloader.dataset.cache=ram.'
            )
        self.size = decode.shape[:2]
        device = torch.device(device)
        need = len(dataset) * math.prod(decode.shape)
        require_room(need, free_on(device), f'{device} memory', 'free some, or take')
        images = decode.each(self._keep)
        first = next(images)
        self.images = torch.empty(
            (len(dataset), *first.shape), dtype=torch.uint8, device=device
        )
        self.images[0] = first
        for idx, img in enumerate(images, start=1):
            self.images[idx] = img
        print_log(
            f'{len(dataset):,} images of {" x ".join(map(str, decode.shape))} decoded '
            f'once: {need / GB:.2f} GB of {device} memory, '
            f'{time.perf_counter() - start:.1f} s; they are augmented there',
            logger='current',
        )

    def _keep(self, idx: int, img: np.ndarray, results: dict) -> Tensor:
        self.ori_shapes[idx] = results.get('ori_shape', img.shape)[:2]
        if self.reverse:
            img = img[:, :, ::-1]
        if not self.channels_last:
            img = img.transpose(2, 0, 1)
        return torch.from_numpy(np.ascontiguousarray(img))

    def views(self, indices: Tensor) -> Views:
        """The images of a batch, erased, flipped, noisy, paired.

        Args:
            indices: Indices in the data set, int64 (n,), on the CPU.

        Returns:
            uint8 (n, C, H, W) on the device, or a list of two of them.

        Raises:
            ValueError: Where the seed and the epoch are not known.
        """
        self._settle()
        # Neither waits for the device.
        rows = indices.to(self.images.device, non_blocking=True)
        views = self.images.index_select(0, rows)
        if self.channels_last:
            views = views.permute(0, 3, 1, 2)
        for transform in self.transforms:
            views = transform(views, indices.numpy(), bgr=not self.reverse)
        return views

    def _settle(self) -> None:
        """Draw the epoch's numbers, when it is another epoch."""
        seed, epoch = self.seeding.seed_epoch
        if self._settled == (seed, epoch):
            return
        if epoch < 0:
            raise ValueError(
                "cache='device' draws from the seed and the epoch, and nobody has set "
                'them. Mend: add dict(type="EpochSeedHook") to the hooks.'
            )
        # A key of its own, for samplers draw from [seed, epoch].
        words = np.random.SeedSequence([seed, epoch], spawn_key=(1,))
        columns = sum(transform.numbers for transform in self.transforms)
        # By rows: sample i has the same numbers, however many samples there are.
        numbers = np.random.default_rng(words).random((len(self.images), columns))
        settle_all(self.transforms, numbers, self.size)
        self._settled = seed, epoch

    def __deepcopy__(self, memo: dict) -> 'DeviceImages':
        return self  # it is large; copies of the model train on the same images
