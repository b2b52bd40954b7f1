"""The wrapper that gives any classification data set noisy labels."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import force_full_init
from mmengine.logging import print_log
from mmpretrain.datasets.transforms import PackInputs
from mmpretrain.registry import DATASETS
from mmpretrain.structures import DataSample
from torch.utils.data import Dataset, Subset

from ..labels import Annotations, check_range, class_names
from ..wrappers import part_with_pipeline, walk
from .drawing import draw_noise
from .files import NoiseManifest, write_noise_file
from .given import read_given_labels
from .model import Transition, check_options, check_seed


@DATASETS.register_module()
class NoisyLabels(Dataset):
    """Give the samples of a data set noisy labels.

    The noise is a function of (clean labels, kind, rate, seed), of votes or images if
    the kind needs them, and of nothing else: it is the same on every rank and worker,
    and after a resume. Each data sample carries the noisy label as ``gt_label``, and as
    metainfo ``clean_label``, its index in this data set as ``sample_idx`` and, if the
    data set has them, ``votes``.

    Args:
        dataset: Any map-style data set with labels and class names, or its
            config; :class:`~eac_mm.datasets.labels.Annotations` says how labels
            are read. A sample is what ``PackInputs`` returns, or a pair of image
            (tensor, array or PIL image, in the channel order that the
            preprocessor expects) and label.
        kind: ``'symmetric'`` (the default), ``'uniform'`` or ``'asymmetric'``: see
            :func:`~eac_mm.datasets.noise.model.transition_matrix`. ``'annotator'``: one
            of a sample's votes for the classes in use, all equally likely (FERPlus).
            ``'instance'``: by the image, see
            :func:`~eac_mm.datasets.noise.instances.instance_shares`.
        rate: Share of labels to draw anew, in [0, 1). Uniform noise draws some of
            them as they were; the log says how many are wrong. Defaults to 0, as
            annotators need it.
        seed: Seed of the noise. It is not the seed of the training, so that runs
            with several training seeds share one set of labels. Defaults to 0.
        transition: Asymmetric noise as ``{from: to}`` or as a matrix.
        noise_file: File to read the noisy labels from instead of drawing them: of
            ``tools/make_noise.py``, a list in the data set's own format (:class:`RAFDB`
            has one), or labels of your own (:mod:`~eac_mm.datasets.noise.lists`). A
            relative path starts at the working directory.
        noise_column: Column of a csv file, or key in a ``.pt`` file, that has the noisy
            labels. Defaults to None: the only one, or that of a usual name.

    Attributes:
        annotations: What the wrapped data set says of its samples.
        clean_labels: Labels of the wrapped data set, int64 (N,).
        given_labels: Noisy labels, int64 (N,).

    Raises:
        ValueError: For an unknown kind; a rate, seed or transition that is not
            allowed; labels, votes or images that are missing; labels out of range; no
            class names; or a noise file of other labels.
        TypeError: If the data set gives its labels in no known way.
        FileNotFoundError: If ``noise_file`` does not exist.
    """

    def __init__(
        self,
        dataset: Dataset | dict,
        kind: str = 'symmetric',
        rate: float = 0.0,
        seed: int = 0,
        transition: Transition | None = None,
        noise_file: str | Path | None = None,
        noise_column: str | None = None,
    ) -> None:
        if noise_file is not None and (rate or transition is not None):
            raise ValueError(
                f'noise_file={str(noise_file)!r} already says which labels to give; '
                f'got rate={rate} and transition={transition} as well. Fix: rate=0 and '
                'transition=None beside noise_file, in the same dict.'
            )
        check_options(kind, rate, transition)
        check_seed(seed)
        lazy_init = isinstance(dataset, dict) and dataset.get('lazy_init', False)
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        for part in walk(self.dataset):
            if hasattr(part, 'max_refetch'):
                # MMEngine replaces an unreadable image by another one at random,
                # which our label would not belong to.
                part.max_refetch = 0
        self.kind = kind
        self.rate = rate
        self.seed = seed
        self.transition = transition
        self.noise_file = noise_file
        self.noise_column = noise_column
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict:
        """Meta information of the wrapped data set, with its class names."""
        metainfo = dict(getattr(self.dataset, 'metainfo', None) or {})
        names = class_names(self.dataset)
        return metainfo if names is None else {'classes': names, **metainfo}

    @property
    def CLASSES(self) -> tuple[str, ...]:
        """Class names, in the order of the labels."""
        names = class_names(self.dataset)
        if names is None:
            raise ValueError(
                f'{type(self.dataset).__name__} has no class names. Fix: give it '
                'metainfo=dict(classes=[...]), or an attribute classes, in the order '
                'of its labels.'
            )
        return names

    @property
    def pipeline(self) -> Any:
        """Pipeline of the wrapped data set, if there is exactly one."""
        return part_with_pipeline(self.dataset).pipeline

    @pipeline.setter
    def pipeline(self, pipeline: Any) -> None:
        part_with_pipeline(self.dataset).pipeline = pipeline

    def full_init(self) -> None:
        """Load the wrapped data set and settle every label."""
        if self._fully_initialized:
            return
        for part in walk(self.dataset):
            if hasattr(part, 'full_init'):
                part.full_init()
        self.annotations = Annotations(self.dataset)
        self.clean_labels = self._check_range(self.annotations.read_labels())
        self.given_labels = self._check_range(self._make_labels())
        # Once: reading an annotation again for every sample served takes long.
        self._voted = self.annotations.hold('votes')
        self._fully_initialized = True
        print_log(self._report(), logger='current')

    def _make_labels(self) -> np.ndarray:
        """Draw the noisy labels, or read them from the noise file."""
        classes = self.CLASSES
        if self.noise_file is None:
            return draw_noise(
                self.annotations,
                self.clean_labels,
                classes,
                self.kind,
                self.rate,
                self.seed,
                self.transition,
            )
        readers = (getattr(p, 'read_label_list', None) for p in walk(self.dataset))
        return read_given_labels(
            Path(self.noise_file).expanduser(),
            self.clean_labels,
            classes,
            [self.name_of(i) for i in range(len(self.clean_labels))],
            next((reader for reader in readers if reader is not None), None),
            self.noise_column,
        )

    def _report(self) -> str:
        size, wrong = len(self.clean_labels), len(self.wrong_indices)
        drawn = self.rate or self.transition is not None or self.kind == 'annotator'
        if self.noise_file is None and not drawn:
            return f'No noise was added to the {size:,} labels.'
        asked = '' if self.kind == 'annotator' else f', rate {self.rate} asked'
        source = self.noise_file or f'{self.kind} noise{asked}, seed {self.seed}'
        return (
            f'{wrong:,} of {size:,} noisy labels differ from the clean ones '
            f'({100 * wrong / size:.2f} %; {source})'
        )

    def _check_range(self, labels: np.ndarray) -> np.ndarray:
        return check_range(labels, self.CLASSES, self.name_of)

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
        """Indices of the samples whose noisy label is not the clean one."""
        return np.flatnonzero(self.given_labels != self.clean_labels)

    def name_of(self, idx: int) -> str:
        """Return the name of a sample: ``name``, else the file's name or the index."""
        return self.annotations.name_of(idx)

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Return the annotation of a sample, with its noisy and its clean label."""
        idx = range(len(self))[idx]
        info = self.annotations.get_info(idx)
        info['gt_label'] = int(self.given_labels[idx])
        info['clean_label'] = int(self.clean_labels[idx])
        info['sample_idx'] = idx
        return info

    @force_full_init
    def get_gt_labels(self) -> np.ndarray:
        """Return the noisy labels, int64 (N,)."""
        return self.given_labels

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the noisy label of a sample, for samplers and wrappers."""
        return [int(self.given_labels[idx])]

    @force_full_init
    def get_subset(self, indices: int | Sequence[int]) -> 'NoisyLabels':
        """Return a part of this data set, in which each sample keeps its labels.

        Args:
            indices: The samples, or how many: the first ones, or the last ones if
                the number is negative.
        """
        part = copy.copy(self)
        part.get_subset_(indices)
        return part

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep a part of this data set; see :meth:`get_subset`."""
        every = range(len(self))
        if isinstance(indices, int):
            kept = list(every[:indices] if indices >= 0 else every[indices:])
        else:
            kept = [every[i] for i in indices]
        self.dataset = Subset(self.dataset, kept)
        self.annotations = Annotations(self.dataset)
        self.clean_labels = self.clean_labels[kept]
        self.given_labels = self.given_labels[kept]

    @force_full_init
    def __len__(self) -> int:
        return len(self.dataset)

    @force_full_init
    def __getitem__(self, idx: int) -> dict:
        idx = range(len(self))[idx]
        return self.set_labels(self.dataset[idx], idx)

    def set_labels(self, packed: Any, idx: int) -> dict:
        """Give a sample its labels, and its index in this data set.

        Args:
            packed: The sample as the wrapped data set or a pipeline returns it.
            idx: Its index.

        Returns:
            The packed sample.

        Raises:
            ValueError: If it is neither packed nor a pair of image and label.
        """
        if isinstance(packed, tuple | list) and len(packed) == 2:
            image = PackInputs.format_input(packed[0])
            packed = dict(inputs=image, data_samples=DataSample())
        if not isinstance(packed, dict) or 'data_samples' not in packed:
            keys = sorted(packed) if isinstance(packed, dict) else type(packed).__name__
            raise ValueError(
                f'{type(self.dataset).__name__} returns {keys}, with no '
                "'data_samples' to put labels into. Fix: end its pipeline with "
                "dict(type='PackInputs'), or return pairs of image and label."
            )
        sample = packed['data_samples']
        sample.set_gt_label(int(self.given_labels[idx]))
        # The index in the wrapped data set differs if that is itself a wrapper.
        own = dict(clean_label=int(self.clean_labels[idx]), sample_idx=idx)
        if self._voted:
            info = self.annotations.get_info(idx)
            if 'votes' in info:
                own['votes'] = info['votes']
        sample.set_metainfo(own)
        return packed
