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
    - ``memorised_by_class``, ``corrected_by_class``, if asked for: the same among the
      images of each class, by the clean label; lists in the order of the classes, None
      for a class without wrongly labelled images

    Args:
        by_class: Whether to add the lists by class. Defaults to False.
        **kwargs: Those of MMEngine's ``BaseMetric``.

    Raises:
        ValueError: If a sample has no ``clean_label``.
    """

    default_prefix = 'noise'

    def __init__(self, by_class: bool = False, **kwargs) -> None:
        super().__init__(**kwargs)
        self.by_class = by_class

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

    def compute_metrics(self, results: list[tuple[int, int, int]]) -> dict:
        """Return the percentages over all ranks' samples."""
        found = _shares(results) or dict(memorised=0.0, corrected=0.0)
        if self.by_class:
            classes = (self.dataset_meta or {}).get('classes') or ()
            labels = [label for _, noisy, clean in results for label in (noisy, clean)]
            of_class = [
                _shares([result for result in results if result[2] == label])
                for label in range(max([len(classes) - 1, *labels]) + 1)
            ]
            for name in tuple(found):
                found[f'{name}_by_class'] = [share.get(name) for share in of_class]
        return found


def _shares(results: list[tuple[int, int, int]]) -> dict[str, float]:
    """Return the percentages of some images, nothing if there are none."""
    if not results:
        return {}
    memorised = sum(predicted == noisy for predicted, noisy, _ in results)
    corrected = sum(predicted == clean for predicted, _, clean in results)
    return dict(
        memorised=100 * memorised / len(results),
        corrected=100 * corrected / len(results),
    )
