"""The metric of what a network makes of wrong noisy labels."""

from collections.abc import Sequence

from mmengine.evaluator import BaseMetric
from mmpretrain.registry import METRICS


@METRICS.register_module()
class Memorisation(BaseMetric):
    """Share of wrongly labelled images that are memorised or corrected.

    An image is memorised if the network predicts its wrong noisy label, and
    corrected if it predicts the clean label. The rest goes to a third class. Samples
    whose noisy label is right are left out, so any data set that carries clean
    labels will do.

    Results, with the prefix ``noise``:

    - ``memorised``: percent of the wrongly labelled images, 0 to 100
    - ``corrected``: likewise

    Raises:
        ValueError: If a sample has no ``clean_label``.
    """

    default_prefix = 'noise'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep prediction, noisy and clean label of each sample."""
        for sample in data_samples:
            if 'clean_label' not in sample:
                raise ValueError(
                    'Memorisation needs the clean label of every sample. Fix: wrap '
                    'the data set in NoisyLabels.'
                )
            noisy, clean = int(sample['gt_label']), int(sample['clean_label'])
            if noisy != clean:
                self.results.append((int(sample['pred_label']), noisy, clean))

    def compute_metrics(self, results: list[tuple[int, int, int]]) -> dict[str, float]:
        """Return the percentages over all ranks' samples."""
        if not results:
            return dict(memorised=0.0, corrected=0.0)
        memorised = sum(predicted == noisy for predicted, noisy, _ in results)
        corrected = sum(predicted == clean for predicted, _, clean in results)
        return dict(
            memorised=100 * memorised / len(results),
            corrected=100 * corrected / len(results),
        )
