"""Labels, class names and annotations of any data set that has labels."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.runner.runner import _SlicedDataset
from torch.utils.data import Dataset, TensorDataset

from .wrappers import origins, parts_of, walk

METHODS = ('get_gt_labels', 'get_data_info', 'get_cat_ids')
ATTRIBUTES = ('targets', 'labels')  # torchvision: ImageFolder, CIFAR; SVHN, STL10


class Annotations:
    """Labels, names and annotations of a data set's samples.

    A data set gives its labels in the first of these ways that it has:

    1. ``get_gt_labels()``, one integer a sample (MMPretrain and this package)
    2. ``get_data_info(idx)['gt_label']`` (MMEngine and its wrappers)
    3. ``get_cat_ids(idx)`` with one id (MMEngine)
    4. an attribute ``targets`` or ``labels``, one integer a sample (torchvision)
    5. the last tensor of a ``TensorDataset``

    A wrapper with none of them, such as ``torch.utils.data.Subset`` and
    ``ConcatDataset``, is traced to the data sets inside it.

    Args:
        dataset: The data set. MMEngine's must be loaded (``full_init()``).

    Raises:
        TypeError: If an unknown wrapper hides which sample comes from where.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        kinds = {type(part) for part in walk(dataset) if gives_labels(part)}
        kinds.discard(_SlicedDataset)  # it forwards, under another length
        self.sources, self._source, self._index = origins(dataset, tuple(kinds))

    def __len__(self) -> int:
        return len(self._index)

    def read_labels(self) -> np.ndarray:
        """Read the label of every sample, int64 (N,).

        Raises:
            TypeError: If a data set gives labels in no known way.
            ValueError: If there is no sample, or a label is not one integer.
        """
        if not len(self):
            raise ValueError(
                f'{type(self.dataset).__name__} is empty. Fix: check its data_root, '
                'ann_file and indices.'
            )
        found = [_labels_of(part) for part in self.sources]
        pairs = zip(self._source, self._index, strict=True)
        labels = [found[source][index] for source, index in pairs]
        for i, label in enumerate(labels):
            if not np.issubdtype(np.asarray(label).dtype, np.integer) or np.ndim(label):
                kind = type(self.sources[self._source[i]]).__name__
                raise ValueError(
                    f'sample {i} ({self.name_of(i)}) of {kind} has the label '
                    f'{label!r}; one integer is needed. Fix: number the classes from 0 '
                    'and give each sample the number of its class.'
                )
        return np.array(labels, dtype=np.int64)

    @property
    def describe_images(self) -> bool:
        """Whether every data set describes its images, for a pipeline to load them."""
        return all(hasattr(source, 'get_data_info') for source in self.sources)

    def source_of(self, idx: int) -> Dataset:
        """Return the data set that a sample comes from."""
        return self.sources[self._source[idx]]

    def get_info(self, idx: int) -> dict:
        """Return the annotation of a sample, empty if the data set gives none."""
        source = self.source_of(idx)
        if not hasattr(source, 'get_data_info'):
            return {}
        return source.get_data_info(int(self._index[idx]))

    def hold(self, key: str) -> bool:
        """Tell whether any annotation has a key."""
        listed = [part for part in self.sources if hasattr(part, 'get_data_info')]
        return any(key in info for part in listed for info in read_annotations(part))

    def name_of(self, idx: int) -> str:
        """Return the name of a sample: ``name``, else the file's name, else the index.

        The index is that in the whole data set.
        """
        info = self.get_info(idx)
        return str(info.get('name') or Path(info.get('img_path') or str(idx)).name)


def read_annotations(dataset: Dataset) -> Iterator[dict]:
    """Read ``get_data_info`` of every sample, in order, to be read only.

    MMEngine's own is read several times faster: its serialised list is cut up at once,
    which leaves out ``sample_idx``.
    """
    own = getattr(type(dataset), 'get_data_info', None) is BaseDataset.get_data_info
    if not own:
        yield from (dataset.get_data_info(i) for i in range(len(dataset)))
        return
    size = len(dataset)  # loads the data set if it is lazy
    if not dataset.serialize_data:
        yield from dataset.data_list
        return
    serialised, start = memoryview(dataset.data_bytes), 0
    for end in dataset.data_address[:size].tolist():
        yield pickle.loads(serialised[start:end])
        start = end


def gives_labels(dataset: Dataset) -> bool:
    """Tell whether a data set itself gives labels in a known way."""
    known = any(hasattr(dataset, name) for name in (*METHODS, *ATTRIBUTES))
    return known or isinstance(dataset, TensorDataset)


def _labels_of(part: Dataset) -> list[Any]:
    """Return the labels of a data set, unchecked."""
    # MMPretrain's get_gt_labels reads each annotation too, and fails without
    # naming the sample.
    if hasattr(part, 'get_gt_labels') and not isinstance(part, BaseDataset):
        labels = list(part.get_gt_labels())
    elif hasattr(part, 'get_data_info'):
        labels = [info.get('gt_label') for info in read_annotations(part)]
    elif hasattr(part, 'get_cat_ids'):
        ids = [part.get_cat_ids(i) for i in range(len(part))]
        labels = [found[0] if len(found) == 1 else found for found in ids]
    else:
        labels = _label_attribute(part)
    if len(labels) != len(part):
        raise ValueError(
            f'{type(part).__name__} has {len(labels)} labels for {len(part)} samples. '
            'Fix: give one label a sample.'
        )
    return labels


def _label_attribute(part: Dataset) -> list[Any]:
    found = [getattr(part, name) for name in ATTRIBUTES if hasattr(part, name)]
    if not found and isinstance(part, TensorDataset):
        found = [part.tensors[-1]]
    if not found:
        methods = ', '.join(f'{name}()' for name in METHODS)
        raise TypeError(
            f'{type(part).__name__} does not say what its labels are: it has none of '
            f'{methods}, {", ".join(ATTRIBUTES)}. Fix: give it an attribute targets, '
            'with one integer a sample, as the data sets of torchvision have.'
        )
    labels = found[0]
    return labels.tolist() if hasattr(labels, 'tolist') else list(labels)


def class_names(dataset: Dataset) -> tuple[str, ...] | None:
    """Return the class names of a data set, in the order of its labels.

    They stand in ``metainfo['classes']``, or in an attribute ``classes`` as in
    torchvision. A wrapper without names has those of the data sets inside it.

    Returns:
        The names, or None if there are none.

    Raises:
        ValueError: If the data sets in a wrapper have different names.
    """
    metainfo = getattr(dataset, 'metainfo', None) or {}
    names = metainfo.get('classes') or getattr(dataset, 'classes', None)
    if names is not None:
        return tuple(names)
    found = dict.fromkeys(class_names(part) for part in parts_of(dataset))
    if len(found) > 1:
        raise ValueError(
            f'the data sets in {type(dataset).__name__} have different classes: '
            f'{" and ".join(map(str, found))}. Fix: use the same names in the same '
            'order.'
        )
    return next(iter(found), None)


def check_range(
    labels: np.ndarray, classes: Sequence[str], name_of: Callable[[int], str]
) -> np.ndarray:
    """Return the labels if each of them is the number of a class.

    Raises:
        ValueError: If one is not, with the name of its sample.
    """
    bad = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(bad):
        raise ValueError(
            f'sample {bad[0]} ({name_of(bad[0])}) has the label {labels[bad[0]]}; the '
            f'{len(classes)} classes {tuple(classes)} allow 0 to {len(classes) - 1}. '
            f'{len(bad)} of {len(labels)} labels are out of range. Fix: correct these '
            'labels, or name all classes.'
        )
    return labels
