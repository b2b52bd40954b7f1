"""Two views of each sample as the rows of one batch."""

import torch
from torch import Tensor


class ViewRows:
    """Split a batch whose rows are all of view 1, then all of view 2.

    ``EACHead(imbalanced=False)`` hands its loss such rows.

    Args:
        views: 1 or 2.

    Raises:
        ValueError: If it is another number.
    """

    def __init__(self, views: int) -> None:
        if views not in (1, 2):
            raise ValueError(f'views={views!r}. Fix: choose 1 or 2.')
        self.views = views
        self._checked = False

    def split(
        self, logits: Tensor, target: Tensor
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return the logits of each view, and the target of each sample.

        Args:
            logits: (views * N, C).
            target: (views * N, C).

        Returns:
            A tensor (N, C) for each view, and the target (N, C).

        Raises:
            ValueError: If both halves do not have the same targets, so that they are
                not two views. Seen once: later calls must not wait for the device.
        """
        if self.views == 1:
            return (logits,), target
        half = len(target) // 2
        alike = self._checked or torch.equal(target[:half], target[half:])
        if not alike:
            raise ValueError(
                f'the loss compares two views, and the {len(target)} rows that it got '
                'are not two views of the same samples. Fix: '
                "model.type='EACClassifier' with model.head=dict(type='EACHead', "
                'imbalanced=False, ...), or views=1 in model.head.loss.'
            )
        self._checked = True
        return logits.chunk(2), target[:half]
