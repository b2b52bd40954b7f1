"""The wrongly labelled part of a data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch.utils.data import Dataset

if TYPE_CHECKING:
    from .noisy_labels import NoisyLabels


class WrongSamples(Dataset):
    """The wrongly labelled samples of a :class:`NoisyLabels`.

    Args:
        noisy: The data set.
        pipeline: Transforms that end in packed inputs; usually the validation
            set's, so that the network sees the images as in testing.
    """

    def __init__(self, noisy: NoisyLabels, pipeline: Callable[[dict], dict]) -> None:
        self.noisy = noisy
        self.pipeline = pipeline
        self.indices = noisy.wrong_indices

    @property
    def metainfo(self) -> dict:
        """Meta information of the wrapped data set."""
        return self.noisy.metainfo

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> dict:
        idx = int(self.indices[position])
        packed = self.pipeline(self.noisy.get_data_info(idx))
        return self.noisy.set_labels(packed, idx)
