"""Noisy labels beside which each sample has the labels of further annotators."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.dataset import force_full_init
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

from .files import hash_labels, is_noise_file, read_noise_file
from .noisy_labels import NoisyLabels

MAKE = (
    'Fix: python tools/cross_fit.py RECIPE {path}, with a baseline recipe of the same '
    'data and noise (configs/ltnet/README.md has those of the tables).'
)


@DATASETS.register_module()
class AnnotatedLabels(NoisyLabels):
    """Give samples noisy labels, and the labels of further annotators beside them.

    An annotator is a file with a label for every sample: one of ``tools/cross_fit.py``,
    which a network has predicted, or any other of ``tools/make_noise.py``. Each data
    sample carries what :class:`NoisyLabels` gives, and as metainfo
    ``annotator_labels``: a tuple of labels, one for each file.

    Args:
        dataset: As of :class:`NoisyLabels`.
        annotators: The files, in the order of the labels. A relative path starts at
            the working directory.
        **kwargs: Further arguments of :class:`NoisyLabels`.

    Attributes:
        annotator_labels: Labels of the annotators, int64 (N, number of files).

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file is no noise file, is of other clean labels, or was
            predicted by networks that were trained on other noisy labels.
    """

    def __init__(
        self, dataset: Dataset | dict, annotators: Sequence[str | Path], **kwargs
    ) -> None:
        if isinstance(annotators, str | Path):
            raise TypeError(
                f'annotators={str(annotators)!r}: a list of files is needed. Fix: '
                f'annotators=[{str(annotators)!r}]'
            )
        self.annotators = tuple(annotators)
        super().__init__(dataset, **kwargs)

    def full_init(self) -> None:
        """Load the wrapped data set and settle every label."""
        if self._fully_initialized:
            return
        super().full_init()
        labels = [self._read(Path(path).expanduser()) for path in self.annotators]
        size = len(self.clean_labels)
        self.annotator_labels = np.array(labels, np.int64).reshape(-1, size).T

    def _read(self, path: Path) -> np.ndarray:
        """Read the labels of one annotator."""
        if not path.is_file():
            raise FileNotFoundError(
                f'annotators: {path} does not exist (seen from {Path.cwd()}). '
                f'{MAKE.format(path=path)}'
            )
        if not is_noise_file(path):
            raise ValueError(
                f'annotators: {path} is no file of tools/cross_fit.py or '
                f'tools/make_noise.py. {MAKE.format(path=path)}'
            )
        manifest, labels = read_noise_file(path, self.clean_labels, self.CLASSES)
        fitted = manifest.fitted_sha256
        # Of networks that were trained on cleaner labels, it would give them away.
        if fitted not in (None, hash_labels(self.given_labels, self.CLASSES)):
            raise ValueError(
                f'annotators: {path} was predicted by networks that were trained on '
                f'other noisy labels than these. {MAKE.format(path=path)}'
            )
        return labels

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep a part of this data set; see :meth:`get_subset`."""
        every = range(len(self))
        if isinstance(indices, int):
            indices = every[:indices] if indices >= 0 else every[indices:]
        super().get_subset_(list(indices))
        self.annotator_labels = self.annotator_labels[list(indices)]

    def set_labels(self, packed: dict, idx: int) -> dict:
        """Give a sample its labels; see :meth:`NoisyLabels.set_labels`."""
        packed = super().set_labels(packed, idx)
        labels = tuple(self.annotator_labels[idx].tolist())
        packed['data_samples'].set_metainfo(dict(annotator_labels=labels))
        return packed
