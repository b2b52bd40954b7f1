"""Write the labels that a training has replaced to a noise file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from .fingerprint import fingerprint
from .noise import NoisyLabels
from .noise.files import NoiseManifest, write_noise_file
from .sample_table import numbering_data_set

KEY = 'relabelling.values'


def write_relabelled(
    path: str | Path, dataset: Dataset, checkpoint: Mapping[str, Any]
) -> NoiseManifest:
    """Write the labels that a checkpoint's training would go on with to a noise file.

    They are the noisy labels of its data, but for those that a
    :class:`~eac_mm.models.Relabelling` has replaced.

    Args:
        path: The file to write.
        dataset: The training data, with :class:`NoisyLabels`.
        checkpoint: Content of a checkpoint.

    Returns:
        The manifest of the file, of the kind ``'relabelled'``.

    Raises:
        ValueError: If the data have no noisy labels or are not those of the
            checkpoint, or the checkpoint holds no replaced labels.
    """
    noisy = numbering_data_set(dataset)
    if not isinstance(noisy, NoisyLabels):
        raise ValueError(
            f'the training data ({type(noisy).__name__}) has no NoisyLabels. Fix: give '
            'the recipe that the checkpoint was trained by.'
        )
    labels = replace(noisy.get_gt_labels(), checkpoint.get('state_dict', checkpoint))
    identity = (checkpoint.get('meta') or {}).get('identity')
    if identity is not None:
        then, now = identity['data']['train'], fingerprint(dataset)
        unlike = [key for key in now if then.get(key) != now[key]]
        if unlike:
            raise ValueError(
                'the checkpoint was trained on other data: '
                f'{", ".join(unlike)} differ. Fix: give its recipe, with the '
                'overrides (--cfg-options) that it was trained with.'
            )
    manifest = NoiseManifest.describe(
        noisy.clean_labels, labels, noisy.CLASSES, 'relabelled', rate=0, seed=noisy.seed
    )
    names = [noisy.name_of(i) for i in range(len(noisy))]
    write_noise_file(path, manifest, labels, names)
    return manifest


def replace(noisy_labels: np.ndarray, weights: Mapping[str, Any]) -> np.ndarray:
    """Return noisy labels with those of a state dict in their place, int64 (N,).

    Raises:
        ValueError: If the state dict holds no replaced labels, or of another number of
            samples.
    """
    found = [key for key in weights if f'.{key}'.endswith(f'.{KEY}')]
    if not found:
        raise ValueError(
            'the checkpoint holds no replaced labels. Fix: give one of a method that '
            'replaces labels, such as configs/scn, with model.head.relabel on.'
        )
    rows = weights[found[0]].numpy()
    if len(rows) != len(noisy_labels):
        raise ValueError(
            f'the checkpoint holds the labels of {len(rows)} samples, and the training '
            f'data has {len(noisy_labels)}. Fix: give the recipe that it was trained '
            'by, with its overrides (--cfg-options).'
        )
    return np.where(rows < 0, noisy_labels, rows)
