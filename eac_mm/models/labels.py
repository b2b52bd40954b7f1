"""The labels of a batch, for methods that need one for each sample."""

import torch
from mmpretrain.structures import DataSample
from torch import Tensor


def single_labels(data_samples: list[DataSample], refusal: str) -> Tensor:
    """Return the label of each sample, int64 (N,).

    Args:
        data_samples: As the data set gives them, or as batch augmentations mixed them.
        refusal: What the error says if they are mixed, with its fix.

    Raises:
        ValueError: If samples have been mixed, and so have no label of their own.
    """
    if 'gt_score' in data_samples[0]:
        raise ValueError(refusal)
    return torch.cat([sample.gt_label for sample in data_samples])
