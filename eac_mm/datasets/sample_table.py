"""Say what the samples of a training set are, in the order of ``sample_idx``."""

import numpy as np
from torch.utils.data import Dataset

from .labels import Annotations, class_names, read_annotations
from .noise import NoisyLabels
from .wrappers import origins


def numbering_data_set(dataset: Dataset) -> Dataset:
    """Return the one data set that numbers all samples of a data set.

    That is its :class:`NoisyLabels`, or else the innermost data set.

    Raises:
        ValueError: If there are several, so that numbers occur twice.
        TypeError: If an unknown wrapper hides which sample comes from where.
    """
    sources = origins(dataset, NoisyLabels).sources
    if len(sources) > 1:
        names = ', '.join(type(source).__name__ for source in sources)
        raise ValueError(
            f'{type(dataset).__name__} joins {len(sources)} data sets ({names}), and '
            'each numbers its samples from 0: sample_idx does not tell them apart. '
            'Fix: one NoisyLabels around what joins them.'
        )
    return sources[0]


def read_labels(dataset: Dataset) -> dict[str, np.ndarray | None]:
    """Read labels and class names.

    Args:
        dataset: From :func:`numbering_data_set`.

    Returns:
        ``noisy_labels``, int64 (N,); ``clean_labels``, the same or None if they are not
        known; ``classes``, their names.

    Raises:
        ValueError: If there are no class names, or a label is not one integer.
        TypeError: If the data set gives its labels in no known way.
    """
    if isinstance(dataset, NoisyLabels):
        noisy, clean = dataset.get_gt_labels(), dataset.clean_labels
    else:
        noisy, clean = Annotations(dataset).read_labels(), None
    classes = class_names(dataset)
    if classes is None:
        raise ValueError(
            f'{type(dataset).__name__} has no class names. Fix: give it '
            'metainfo=dict(classes=[...]), in the order of the labels.'
        )
    return dict(noisy_labels=noisy, clean_labels=clean, classes=np.array(classes))


def read_paths(dataset: Dataset) -> np.ndarray | None:
    """Read the path of each image, None unless the data set gives all of them.

    Args:
        dataset: From :func:`numbering_data_set`.
    """
    found = origins(dataset)
    infos = [
        read_annotations(leaf) if hasattr(leaf, 'get_data_info') else ()
        for leaf in found.sources
    ]
    paths = [[info.get('img_path') for info in leaf] for leaf in infos]
    if any(not leaf or None in leaf for leaf in paths):
        return None
    pairs = zip(found.source.tolist(), found.index.tolist(), strict=True)
    return np.array([str(paths[source][index]) for source, index in pairs])
