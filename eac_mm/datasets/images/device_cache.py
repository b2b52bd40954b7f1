"""Images on the training device, augmented there in batches."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.device import get_device
from mmengine.registry import FUNCTIONS
from mmpretrain.registry import DATASETS
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from ..draws import draws_before
from ..transforms import SeedAugmentation
from ..wrappers import transforms_of
from .batch_transforms import Views, apply_on_batch, build_batch_transforms
from .cache import ImageCache
from .memory import free_on, require_room
from .store import Decoder, bytes_of, split_pipeline


@FUNCTIONS.register_module()
def ready_batch(batch: dict) -> dict:
    """Pass on a batch that the data set has put together itself."""
    return batch


@DATASETS.register_module()
class DeviceCache(ImageCache):
    """Keep the decoded images where the network trains, and augment them there.

    It serves whole batches: uint8 views on the device, and data samples with their
    labels there. Every later stage is the same as without a cache. The loader has no
    workers and collates by ``ready_batch``; ``tools/train.py --cache device`` sets
    that for any recipe, by :func:`~eac_mm.datasets.images.settle_loader`.

    The transforms after ``SeedAugmentation`` say how images are augmented. They are
    not run themselves: see :mod:`~eac_mm.datasets.images.batch_transforms`. As with
    ``SeedAugmentation``, what a sample gets is a function of (seed, epoch,
    ``sample_idx``, how many times it was drawn before in this epoch, which of several
    data sets it comes from), but the random numbers are other ones.

    Args:
        dataset: See :class:`ImageCache`.
        device: Where to keep the images. Defaults to None: the device that MMEngine's
            runner puts the model on.

    Shape:
        - inputs: a list of two views, or one tensor, each uint8 (N, C, H, W) in the
          pipeline's channel order, laid out channels last

    Raises:
        ValueError: See :class:`ImageCache`.
    """

    counts_draws = True

    def __init__(self, dataset: Dataset | dict, device: str | None = None) -> None:
        super().__init__(dataset)
        self.device = torch.device(device or get_device())

    def full_init(self) -> None:
        """Decode the images onto the device, unless that is done.

        Raises:
            ValueError: If a transform cannot be run in batches, or as
                :class:`ImageCache`.
            BadImageError: If an image cannot be used.
            MemoryError: If the images need more memory than is free.
        """
        if self.store is not None:
            return
        super().full_init()
        self._seeding = next(transforms_of(self.dataset, SeedAugmentation))

    def allocate(self, decoder: Decoder) -> Tensor:
        """See :class:`ImageCache`."""
        pipelines = [split_pipeline(leaf)[1] for leaf in decoder.leaves]
        settings = [list(map(repr, pipeline)) for pipeline in pipelines]
        if any(other != settings[0] for other in settings):
            raise ValueError(
                'DeviceCache augments all images alike, and the data sets in it have '
                f'several pipelines after SeedAugmentation: {settings}. Fix: give '
                'them one pipeline, or use --cache ram.'
            )
        self.transforms = build_batch_transforms(pipelines[0][1:])
        self._packs = [pipeline[-1] for pipeline in pipelines]
        if len(decoder.shape) != 3:
            raise ValueError(
                'DeviceCache needs images of height, width and channels, and the '
                f'pipeline gives {decoder.shape}. Fix: --cache ram.'
            )
        require_room(bytes_of(decoder), free_on(self.device), f'{self.device} memory')
        shape = (len(decoder.index), *decoder.shape)
        return torch.empty(shape, dtype=torch.uint8, device=self.device)

    def __getitems__(self, indices: Sequence[int]) -> dict:
        """Serve a batch; indices know of earlier draws in this epoch.

        Raises:
            ValueError: In a worker of the loader.
        """
        if get_worker_info() is not None:
            raise ValueError(
                'DeviceCache augments on the device, which workers of a loader cannot '
                'use. Fix: tools/train.py --cache device, or num_workers=0 and '
                "collate_fn=dict(type='ready_batch') in the loader."
            )
        self.full_init()
        positions = [self.indices[idx] for idx in indices]
        before = np.array([draws_before(idx) for idx in indices])
        views = self._augment(self.rows[positions], before)
        samples = [self._sample(position) for position in positions]
        self._move_labels(samples)
        return dict(inputs=views, data_samples=samples)

    def __getitem__(self, idx: int) -> dict:
        batch = self.__getitems__([idx])
        views = batch['inputs']
        one = views[0] if isinstance(views, Tensor) else [view[0] for view in views]
        return dict(inputs=one, data_samples=batch['data_samples'][0])

    def _augment(self, rows: np.ndarray, before: np.ndarray) -> Views:
        """Erase, flip, pair the images of a batch, uint8 (n, C, H, W)."""
        columns = sum(transform.numbers for transform in self.transforms)
        seed, epoch = self._seeding.seed_epoch
        if epoch < 0:  # nobody has set it: not seeded, as without a cache
            numbers = np.random.random((len(rows), columns))
        else:
            leaf, samples = self.store.leaf[rows], self.store.index[rows]
            numbers = numbers_of(seed, epoch, samples, before, leaf, columns)
        # Neither waits for the device.
        wanted = torch.from_numpy(rows).to(self.device, non_blocking=True)
        images = self.store.images.index_select(0, wanted).permute(0, 3, 1, 2)
        ori_shapes = self.store.ori_shapes[rows]
        return apply_on_batch(self.transforms, images, numbers, ori_shapes)

    def _sample(self, position: int) -> DataSample:
        """Return a sample with its labels.

        It is packed anew each time: keeping it saves 0.02 ms, and would take about 0.4
        GB for 280,000 samples.
        """
        row = self.rows[position]
        packed = self._packs[self.store.leaf[row]](self.store.results(row))
        return self.set_labels(packed, position)['data_samples']

    def _move_labels(self, samples: list[DataSample]) -> None:
        """Bring the labels to the device, all in one copy that is not waited for."""
        labelled = [sample for sample in samples if 'gt_label' in sample]
        if not labelled:
            return
        labels = [sample.gt_label for sample in labelled]
        moved = torch.cat(labels).to(self.device, non_blocking=True)
        parts = moved.split([len(label) for label in labels])
        for sample, label in zip(labelled, parts, strict=True):
            sample.set_gt_label(label)


def numbers_of(
    seed: int,
    epoch: int,
    samples: np.ndarray,
    before: np.ndarray,
    leaf: np.ndarray,
    columns: int,
) -> np.ndarray:
    """Draw the uniform numbers of some samples in [0, 1).

    There is one stream for each (seed, epoch, number of earlier draws, data set), and
    sample i has its i-th row. It is found by skipping what lies before it.

    Args:
        seed: Seed of the run.
        epoch: Epoch.
        samples: The ``sample_idx``, (n,).
        before: How many times each was drawn before in this epoch, (n,).
        leaf: Number of the data set that each comes from, (n,).
        columns: Numbers of a sample.

    Returns:
        float64 (n, columns).
    """
    numbers = np.empty((len(samples), columns))
    for times, part in sorted(set(zip(before.tolist(), leaf.tolist(), strict=True))):
        # A key of its own: samplers draw from [seed, epoch].
        key = (1, times, part) if part else (1, times) if times else (1,)
        words = np.random.SeedSequence([seed, epoch], spawn_key=key)
        rng = np.random.Generator(np.random.PCG64(words))
        place = 0
        for i in np.flatnonzero((before == times) & (leaf == part)).tolist():
            start = int(samples[i]) * columns
            rng.bit_generator.advance(start - place)
            rng.random(out=numbers[i])
            place = start + columns
    return numbers
