"""Write corrected labels, so that the data sets here read them back."""

from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from eac_mm.datasets.labels import Annotations
from eac_mm.datasets.noise import NoisyLabels
from eac_mm.datasets.noise.files import NoiseManifest, write_noise_file
from eac_mm.datasets.sample_table import read_labels

NOISE_FILE = 'corrected_labels.txt'
OWN_LIST = 'corrected_list'


def write_corrected(
    dataset: Dataset, labels: np.ndarray, folder: str | Path
) -> list[Path]:
    """Write corrected labels as a noise file, and in the data set's own list format.

    ``corrected_labels.txt`` is for any data set: ``NoisyLabels(noise_file=...)`` gives
    its labels to the samples. ``corrected_list.txt`` or ``.csv`` is written for data
    sets that have a list format, :class:`RAFDB` and :class:`CSVFaces`; it takes the
    place of their ``ann_file``. FERPlus's format are votes, which a label is not.

    Args:
        dataset: What numbers the samples, from
            :func:`~eac_mm.datasets.sample_table.numbering_data_set`.
        labels: Corrected labels, int64 (N,), by ``sample_idx``.
        folder: Where the files go.

    Returns:
        The files.
    """
    known = read_labels(dataset)
    noisy = isinstance(dataset, NoisyLabels)
    annotations = dataset.annotations if noisy else Annotations(dataset)
    names = [annotations.name_of(i) for i in range(len(labels))]
    # The file belongs to the data set's own labels, below all noise.
    own = known['clean_labels'] if noisy else known['noisy_labels']
    classes = tuple(known['classes'].tolist())
    manifest = NoiseManifest.describe(own, labels, classes, 'corrected', 0, 0)
    files = [Path(folder, NOISE_FILE)]
    write_noise_file(files[0], manifest, labels, names)
    (source, *others) = annotations.sources
    if not others and hasattr(source, 'write_label_list'):
        files.append(Path(folder, OWN_LIST).with_suffix(source.list_ending))
        source.write_label_list(files[1], names, labels.tolist())
    return files
