"""Keep what a network says of each image of a test."""

from collections.abc import Sequence

import pandas as pd
from mmengine.evaluator import BaseMetric
from mmpretrain.registry import METRICS


@METRICS.register_module()
class Predictions(BaseMetric):
    """Keep label, prediction and probabilities of each image of a test.

    It measures nothing; :attr:`table` has the rows, in the order of the data set, on
    the main process. ``tools/test.py --results`` adds it.

    Attributes:
        table: Columns ``image`` (its path, or its number if it has none), ``label``,
            ``prediction``, ``confidence`` and ``p_<class>``; None before the test
            ends. Labels are names of classes.

    Args:
        **kwargs: Those of MMEngine's ``BaseMetric``.

    Raises:
        ValueError: If the test data has no names of its classes, or a sample no
            probabilities.
    """

    table: pd.DataFrame | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the labels."""
        names = (self.dataset_meta or {}).get('classes')
        if names is None:
            raise ValueError(
                'the test data has no names of its classes. Fix: test_dataloader.'
                'dataset.metainfo=dict(classes=[...]), in the order of the labels.'
            )
        return tuple(names)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the samples of a batch."""
        for sample in data_samples:
            self._check(sample)
            image = sample.get('img_path', sample.get('sample_idx'))
            score = sample['pred_score'].float().tolist()
            labels = int(sample['gt_label']), int(sample['pred_label'])
            self.results.append((image, *labels, score))

    def _check(self, sample: dict) -> None:
        """Refuse what has no table, at the first batch rather than after the last."""
        if len(self.classes) and sample.get('pred_score') is None:
            raise ValueError(
                'the network gives no probabilities (pred_score). Fix: test without '
                '--results.'
            )

    def compute_metrics(self, results: list[tuple]) -> dict:
        """Make the table of all ranks' samples; there is no figure to return."""
        images, labels, predicted, scores = zip(*results, strict=True)
        names = self.classes
        table = pd.DataFrame(scores, columns=[f'p_{name}' for name in names])
        table.insert(0, 'confidence', table.max(axis=1))
        table.insert(0, 'prediction', [names[i] for i in predicted])
        table.insert(0, 'label', [names[i] for i in labels])
        table.insert(0, 'image', [n if p is None else p for n, p in enumerate(images)])
        self.table = table
        return {}
