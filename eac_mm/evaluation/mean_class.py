"""Metrics in which every class counts the same."""

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmpretrain.evaluation import SingleLabelMetric
from mmpretrain.registry import METRICS


@METRICS.register_module()
class MeanClass(BaseMetric):
    """Mean class accuracy and macro F1, in which every class counts the same.

    The accuracy of a class is the share of its images that are predicted right (its
    recall). Only classes with images count: MMPretrain's ``SingleLabelMetric`` takes
    0 for a class without any, which lowers its macro averages.

    Results, with the prefix ``mean_class``, in percent:

    - ``accuracy``: mean class accuracy, also called balanced accuracy
    - ``f1``: macro F1, the mean of the classes' F1
    - ``accuracy_by_class``, if asked for: a list in the order of the classes, None
      for a class without images

    Args:
        by_class: Whether to add the accuracy of each class. Defaults to False.
        **kwargs: Those of MMEngine's ``BaseMetric``.

    Examples:
        >>> val_evaluator = [dict(type='Accuracy'), dict(type='MeanClass')]

    Attributes:
        accuracies: The accuracy of each class at the last evaluation, as in
            ``accuracy_by_class``; None before. On the main process alone.
    """

    default_prefix = 'mean_class'

    def __init__(self, by_class: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.by_class = by_class
        self.accuracies: list[float | None] | None = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep predicted and true label of each sample."""
        # A batch at a time: one wait for the device.
        columns = [
            torch.cat([sample[key].reshape(1) for sample in data_samples]).tolist()
            for key in ('pred_label', 'gt_label')
        ]
        self.results += zip(*columns, strict=True)

    def compute_metrics(self, results: list[tuple[int, int]]) -> dict:
        """Return the means over the classes, from all ranks' samples."""
        predicted, true = torch.tensor(results).T
        classes = (self.dataset_meta or {}).get('classes') or ()
        count = max(len(classes), int(max(predicted.max(), true.max())) + 1)
        _, recall, f1, images = SingleLabelMetric.calculate(
            predicted, true, average=None, num_classes=count
        )
        there = images > 0
        found = dict(accuracy=recall[there].mean().item(), f1=f1[there].mean().item())
        shares = zip(recall.tolist(), there.tolist(), strict=True)
        self.accuracies = [share if has_any else None for share, has_any in shares]
        if self.by_class:
            found['accuracy_by_class'] = self.accuracies
        return found
