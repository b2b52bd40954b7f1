"""What a network makes of wrongly labelled images."""

from collections.abc import Sequence

from mmengine.evaluator import BaseMetric
from mmpretrain.registry import METRICS


@METRICS.register_module()
class Memorisation(BaseMetric):
    """Share of wrongly labelled images that are memorised or corrected.

    An image is memorised where the network predicts its given, wrong label; it
    is corrected where it predicts the clean one. The rest goes to a third
    class. Samples whose given label is right are left out, so that the metric
    may be fed any data set that carries clean labels.

    Results, with the prefix ``noise``:

    - ``memorised``: percent of the wrongly labelled images, 0 to 100
    - ``corrected``: likewise

    Raises:
        ValueError: Where a sample has no ``clean_label``.
    """

    default_prefix = 'noise'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Note prediction, given and clean label of each sample."""
        for sample in data_samples:
            if 'clean_label' not in sample:
                raise ValueError(
                    'Memorisation needs the clean label of every sample. Mend: wrap '
                    'the data set in NoisyLabels.'
                )
            given, clean = int(sample['gt_label']), int(sample['clean_label'])
            if given != clean:
                self.results.append((int(sample['pred_label']), given, clean))

    def compute_metrics(self, results: list[tuple[int, int, int]]) -> dict[str, float]:
        """Percentages over all ranks' samples."""
        if not results:
            return dict(memorised=0.0, corrected=0.0)
        memorised = sum(predicted == given for predicted, given, _ in results)
        corrected = sum(predicted == clean for predicted, _, clean in results)
        return dict(
            memorised=100 * memorised / len(results),
            corrected=100 * corrected / len(results),
        )
