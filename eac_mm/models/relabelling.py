"""Replace labels by what the network is confident of."""

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from .labels import single_labels
from .sample_state import SampleState

UNTOUCHED = -1


class Relabelling(SampleState):
    """Labels that confident predictions have replaced, and that stay replaced.

    The rule is that of `Suppressing Uncertainties for Large-Scale Facial Expression
    Recognition <https://arxiv.org/abs/2002.10392>`_: a label y becomes the most
    probable class c if p_c - p_y > margin. A head trains on :meth:`relabelled` and
    then calls :meth:`update` with its logits. The data set never changes. What is
    replaced in a step counts when the sample is served again.

    ``values`` holds the new label of each sample, -1 while its noisy label stands.
    ``tools/make_noise.py --relabelled`` writes the labels to a noise file.

    Args:
        margin: How much more probable the new class must be, in [0, 1).
            Defaults to 0.2.
        start: The first epoch that replaces labels, counted from 1. Defaults to 10.

    Raises:
        ValueError: If ``margin`` or ``start`` is out of range.
    """

    def __init__(self, margin: float = 0.2, start: int = 10) -> None:
        super().__init__(dtype=torch.int64, fill=UNTOUCHED)
        if not 0 <= margin < 1:
            raise ValueError(
                f'relabel_margin={margin}: it is a difference of probabilities, in '
                '[0, 1). Fix: model.head.relabel_margin=0.2'
            )
        if not isinstance(start, int) or start < 1:
            raise ValueError(
                f'relabel_start={start}: epochs count from 1. Fix: '
                'model.head.relabel_start=10'
            )
        self.margin = margin
        self.start = start

    def relabelled(self, data_samples: list[DataSample]) -> list[DataSample]:
        """Return samples with the labels to train on now, and nothing else."""
        labels = self._labels(data_samples)
        return [DataSample().set_gt_label(label) for label in labels.split(1)]

    @torch.no_grad()
    def update(
        self,
        data_samples: list[DataSample],
        logits: Tensor,
        chosen: Tensor | None = None,
    ) -> None:
        """Replace the labels that the rule replaces, once ``start`` has come.

        All processes must call it in the same step.

        Args:
            data_samples: N samples, as the data set gives them.
            logits: Of this step, (N, classes).
            chosen: Whose labels may be replaced, bool (N,). Defaults to None: all.
        """
        if self.epoch + 1 < self.start:
            return
        # In bfloat16, probabilities near 1 have two digits.
        chances = logits.float().softmax(1)
        best, classes = chances.max(1)
        current = chances.gather(1, self._labels(data_samples)[:, None])[:, 0]
        replaced = best - current > self.margin
        if chosen is not None:
            replaced = replaced & chosen
        indices = self.indices(data_samples)
        self.write(indices, torch.where(replaced, classes, self.read(indices)))

    def _labels(self, data_samples: list[DataSample]) -> Tensor:
        """Return the labels to train on now, int64 (N,)."""
        noisy = single_labels(
            data_samples,
            'labels are replaced one by one, and batch augmentations mix them. Fix: no '
            'model.train_cfg.augments, or model.head.relabel=None.',
        )
        labels = self.read(self.indices(data_samples))
        return torch.where(labels == UNTOUCHED, noisy, labels)
