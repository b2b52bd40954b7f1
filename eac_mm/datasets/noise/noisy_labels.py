"""A wrapper that gives any classification data set wrong labels."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.logging import print_log
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

from ..wrappers import walk
from .files import NoiseManifest, write_noise_file
from .given import read_given_labels
from .model import (
    Transition,
    check_kind,
    check_rate,
    check_seed,
    draw_labels,
    transition_matrix,
)
from .wrong_samples import WrongSamples


@DATASETS.register_module()
class NoisyLabels(Dataset):
    """Give the samples of a data set labels that are partly wrong.

    The noise is a function of (clean labels, kind, rate, seed) alone: the same
    on every rank and worker, and after a resume. Each data sample carries the
    label to train on as ``gt_label``, ``clean_label`` beside it, and its index
    in this data set as ``sample_idx``.

    Args:
        dataset: A data set in MMPretrain's style, or its config: samples with
            one integer ``gt_label`` each, class names in ``metainfo``, and a
            pipeline that ends in ``PackInputs``.
        kind: ``'symmetric'`` or ``'asymmetric'``; see
            :func:`~eac_mm.datasets.noise.model.transition_matrix`. Defaults to
            ``'symmetric'``.
        rate: Share of labels to change, in [0, 1). Defaults to 0.
        seed: Seed of the noise; on purpose not that of the training, so that
            runs with several training seeds share one set of labels. Defaults
            to 0.
        transition: Asymmetric noise as ``{from: to}`` or as a matrix.
        noise_file: Read the labels from here instead of drawing them: a file
            of ``tools/make_noise.py``, or a list in the data set's own format
            where it has one (:class:`RAFDB` reads the authors' lists), which
            may list more samples than the data set has. Relative paths count
            from the working directory.

    Raises:
        ValueError: For a rate, kind, seed or transition that is none, labels
            missing or out of range, no class names, or a noise file of other labels.
        FileNotFoundError: Where ``noise_file`` does not exist.
    """

    def __init__(
        self,
        dataset: BaseDataset | Dataset | dict,
        kind: str = 'symmetric',
        rate: float = 0.0,
        seed: int = 0,
        transition: Transition | None = None,
        noise_file: str | Path | None = None,
    ) -> None:
        check_kind(kind)
        check_rate(rate)
        check_seed(seed)
        if noise_file is not None and (rate or transition is not None):
            raise ValueError(
                f'noise_file={str(noise_file)!r} already says which labels to give; '
                f'got rate={rate} and transition={transition} as well. Mend: rate=0, '
                'transition=None.'
            )
        lazy_init = isinstance(dataset, dict) and dataset.get('lazy_init', False)
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        # MMEngine would replace an unreadable image by another one at random, to
        # which our label would not belong.
        for part in walk(self.dataset):
            part.max_refetch = 0
        self.kind = kind
        self.rate = rate
        self.seed = seed
        self.transition = transition
        self.noise_file = noise_file
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict:
        """Meta information of the wrapped data set."""
        return self.dataset.metainfo

    @property
    def CLASSES(self) -> tuple[str, ...]:
        """Class names, in the order of the labels."""
        classes = self.metainfo.get('classes')
        if classes is None:
            raise ValueError(
                f'{type(self.dataset).__name__} has no class names. Mend: give it '
                'metainfo=dict(classes=[...]), in the order of its labels.'
            )
        return tuple(classes)

    def full_init(self) -> None:
        """Load the wrapped data set and settle every label."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        self.clean_labels = self._read_clean_labels()
        if self.noise_file is not None:
            path = Path(self.noise_file).expanduser()
            self.given_labels = self._check_range(read_given_labels(path, self))
        else:
            matrix = transition_matrix(
                self.kind, self.rate, self.CLASSES, self.transition
            )
            self.given_labels = draw_labels(self.clean_labels, matrix, self.seed)
        self._fully_initialized = True
        wrong = len(self.wrong_indices)
        source = self.noise_file or (
            f'{self.kind} noise, rate {self.rate} asked, seed {self.seed}'
        )
        print_log(
            f'{wrong:,} of {len(self):,} training labels are wrong '
            f'({100 * wrong / len(self):.2f} %; {source})',
            logger='current',
        )

    def _read_clean_labels(self) -> np.ndarray:
        size = len(self.dataset)
        if not size:
            raise ValueError(
                f'{type(self.dataset).__name__} is empty. Mend: see its data_root, '
                'ann_file and indices.'
            )
        labels = [self.dataset.get_data_info(i).get('gt_label') for i in range(size)]
        for i, label in enumerate(labels):
            if not np.issubdtype(np.asarray(label).dtype, np.integer) or np.ndim(label):
                raise ValueError(
                    f'sample {i} ({self.name_of(i)}) of '
                    f'{type(self.dataset).__name__} has gt_label={label!r}; '
                    'NoisyLabels needs one integer a sample.'
                )
        return self._check_range(np.array(labels, dtype=np.int64))

    def _check_range(self, labels: np.ndarray) -> np.ndarray:
        classes = self.CLASSES
        bad = np.flatnonzero((labels < 0) | (labels >= len(classes)))
        if len(bad):
            raise ValueError(
                f'sample {bad[0]} ({self.name_of(bad[0])}) has the label '
                f'{labels[bad[0]]}; the {len(classes)} classes {classes} allow 0 to '
                f'{len(classes) - 1}. {len(bad)} of {len(labels)} labels are so.'
            )
        return labels

    @force_full_init
    def write(self, path: str | Path) -> NoiseManifest:
        """Write the labels as a noise file and return its manifest."""
        manifest = NoiseManifest.describe(
            self.clean_labels,
            self.given_labels,
            self.CLASSES,
            kind='file' if self.noise_file else self.kind,
            rate=self.rate,
            seed=self.seed,
            transition=self.transition,
        )
        names = [self.name_of(i) for i in range(len(self))]
        write_noise_file(path, manifest, self.given_labels, names)
        return manifest

    @property
    @force_full_init
    def wrong_indices(self) -> np.ndarray:
        """Indices of the samples whose given label is not the clean one."""
        return np.flatnonzero(self.given_labels != self.clean_labels)

    def name_of(self, idx: int) -> str:
        """Name of a sample: ``name``, else the file's name, else the index."""
        info = self.dataset.get_data_info(idx)
        return str(info.get('name') or Path(info.get('img_path') or str(idx)).name)

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Annotation of a sample, with the given and the clean label."""
        idx = range(len(self))[idx]
        info = self.dataset.get_data_info(idx)
        info['gt_label'] = int(self.given_labels[idx])
        info['clean_label'] = int(self.clean_labels[idx])
        info['sample_idx'] = idx
        return info

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Given labels, shape (N,)."""
        return self.given_labels

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Given label of a sample, as samplers and wrappers ask for it."""
        return [int(self.given_labels[idx])]

    @force_full_init
    def __len__(self) -> int:
        return len(self.dataset)

    @force_full_init
    def __getitem__(self, idx: int) -> dict:
        # Labels are set on what the wrapped data set returns, so that any
        # data set will do, itself a wrapper or not.
        idx = range(len(self))[idx]
        return self.set_labels(self.dataset[idx], idx)

    def set_labels(self, packed: dict, idx: int) -> dict:
        """Give a packed sample its labels and its index in this data set.

        Raises:
            ValueError: Where the pipeline did not end in ``PackInputs``.
        """
        if 'data_samples' not in packed:
            raise ValueError(
                f'{type(self.dataset).__name__} gives {sorted(packed)}, and no '
                "'data_samples' to put labels into. Mend: end its pipeline with "
                "dict(type='PackInputs')."
            )
        sample = packed['data_samples']
        sample.set_gt_label(int(self.given_labels[idx]))
        # The wrapped data set's own index is another one where it is itself
        # put together from several.
        own = dict(clean_label=int(self.clean_labels[idx]), sample_idx=idx)
        sample.set_metainfo(own)
        return packed

    @force_full_init
    def wrong_samples(self, pipeline: Callable[[dict], dict]) -> WrongSamples:
        """The wrongly labelled samples, through another pipeline."""
        return WrongSamples(self, pipeline)
