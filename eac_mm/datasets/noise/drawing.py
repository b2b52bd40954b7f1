"""Draw the noisy labels of a data set, by any kind of noise."""

from collections.abc import Sequence

import numpy as np

from ..labels import Annotations
from .annotators import vote_shares
from .instances import instance_shares, read_features
from .model import Transition, draw_labels, draw_rows, transition_matrix


def draw_noise(
    annotations: Annotations,
    clean: np.ndarray,
    classes: Sequence[str],
    kind: str,
    rate: float,
    seed: int,
    transition: Transition | None = None,
) -> np.ndarray:
    """Draw a noisy label for each sample.

    Args:
        annotations: What the data set says of its samples.
        clean: Their clean labels, int64 (N,).
        classes: Class names.
        kind: One of :data:`~eac_mm.datasets.noise.model.KINDS`.
        rate: In [0, 1); 0 for annotators.
        seed: Any integer from 0.
        transition: Of asymmetric noise.

    Returns:
        Noisy labels, int64 (N,).

    Raises:
        ValueError: For options that are not allowed, or votes or images that are
            missing.
    """
    if kind == 'annotator':
        return draw_rows(vote_shares(annotations, len(classes)), seed)
    if kind == 'instance':
        if not rate:
            return clean.copy()
        features = read_features(annotations)
        return draw_rows(
            instance_shares(features, clean, rate, len(classes), seed), seed
        )
    matrix = transition_matrix(kind, rate, classes, transition)
    return draw_labels(clean, matrix, seed)
