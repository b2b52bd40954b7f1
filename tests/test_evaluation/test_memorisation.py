import pytest
import torch

from eac_mm.evaluation import Memorisation


def make_sample(predicted, given, clean):
    return dict(
        pred_label=torch.tensor([predicted]),
        gt_label=torch.tensor([given]),
        clean_label=clean,
    )


def test_percentages_of_the_wrongly_labelled():
    metric = Memorisation()
    metric.dataset_meta = {}
    metric.process({}, [make_sample(1, 1, 0), make_sample(0, 1, 0)])
    metric.process({}, [make_sample(2, 1, 0), make_sample(0, 2, 0)])
    metric.process({}, [make_sample(3, 3, 3), make_sample(0, 3, 3)])  # right labels
    assert metric.evaluate(6) == {
        'noise/memorised': 25.0,
        'noise/corrected': 50.0,
    }


def test_nothing_wrong():
    metric = Memorisation()
    metric.process({}, [make_sample(1, 1, 1)])
    assert set(metric.evaluate(1).values()) == {0.0}


def test_clean_label_is_needed():
    sample = make_sample(0, 0, 0)
    del sample['clean_label']
    with pytest.raises(ValueError, match='wrap the data set in NoisyLabels'):
        Memorisation().process({}, [sample])
