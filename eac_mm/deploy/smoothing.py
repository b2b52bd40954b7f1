"""Smooth the probabilities of the same face from frame to frame."""

from collections.abc import Sequence

import numpy as np
from mmpretrain.structures import DataSample
from torch import Tensor

SAME = 0.3  # of both boxes' area that two frames of one face share at least
PATIENCE = 10  # frames without a face after which it is forgotten


class Smoother:
    """An exponential moving average of each face's probabilities.

    A face is the one of an earlier frame whose box overlaps most with its own.

    Args:
        weight: Weight of the earlier frames, from 0 (no smoothing) to below 1. With 0.8
            about five frames count.

    Raises:
        ValueError: For another weight.
    """

    def __init__(self, weight: float) -> None:
        if not 0 <= weight < 1:
            raise ValueError(f'smoothing by {weight}. Fix: give 0 to below 1.')
        self.weight = weight
        self._faces: list[tuple[np.ndarray, Tensor, int]] = []  # box, mean, missed

    def __call__(self, samples: Sequence[DataSample]) -> list[Tensor]:
        """Return the smoothed probabilities of the faces of the next frame.

        Args:
            samples: Its faces, with ``box`` and ``pred_score``.
        """
        earlier, self._faces, means = self._faces, [], []
        for sample in samples:
            shared = [overlap(box, sample.box) for box, _, _ in earlier]
            best = int(np.argmax(shared)) if shared else -1
            mean = sample.pred_score
            if shared and shared[best] >= SAME:
                _, old, _ = earlier.pop(best)
                mean = self.weight * old + (1 - self.weight) * mean
            means.append(mean)
            self._faces.append((sample.box, mean, 0))
        self._faces += [
            (box, mean, missed + 1)
            for box, mean, missed in earlier
            if missed < PATIENCE
        ]
        return means


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return the area that two boxes share, as a part of both together."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = (high - low).clip(0).prod()
    both = sum((box[2:] - box[:2]).prod() for box in (one, other)) - shared
    return float(shared / both) if both > 0 else 0.0
