"""The samples with a wrong noisy label."""

from collections.abc import Callable

import numpy as np
from torch.utils.data import Dataset

from ..wrappers import find, origins
from .noisy_labels import NoisyLabels


class WrongSamples(Dataset):
    """Samples whose noisy label differs from the clean one, each once.

    Args:
        dataset: A data set that is, wraps or joins one or more
            :class:`NoisyLabels`. A sample that it repeats counts once, and one
            that it leaves out does not count.
        pipeline: Transforms that end in packed inputs; usually those of the
            validation set, so that the network sees the images as in testing.

    Raises:
        TypeError: If an unknown wrapper hides which sample comes from where.
    """

    def __init__(self, dataset: Dataset, pipeline: Callable[[dict], dict]) -> None:
        self.pipeline = pipeline
        self.samples: list[tuple[NoisyLabels, int]] = []
        if not find(dataset, NoisyLabels):
            return
        sources, source, index = origins(dataset, NoisyLabels)
        for number, part in enumerate(sources):
            if isinstance(part, NoisyLabels):
                served = np.unique(index[source == number])
                wrong = np.intersect1d(served, part.wrong_indices)
                self.samples += [(part, int(idx)) for idx in wrong]

    @property
    def metainfo(self) -> dict:
        """Meta information of the data set that the samples come from."""
        return self.samples[0][0].metainfo if self.samples else {}

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, position: int) -> dict:
        noisy, idx = self.samples[position]
        return noisy.set_labels(self.pipeline(noisy.get_data_info(idx)), idx)
