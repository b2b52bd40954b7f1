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


def test_by_class():
    metric = Memorisation(by_class=True)
    metric.dataset_meta = dict(classes=['a', 'b', 'c', 'd'])
    metric.process({}, [make_sample(1, 1, 0), make_sample(0, 2, 0)])  # clean class 0
    metric.process({}, [make_sample(0, 0, 2), make_sample(3, 3, 3)])  # class 2; right
    assert metric.evaluate(4) == {
        'noise/memorised': pytest.approx(200 / 3),
        'noise/corrected': pytest.approx(100 / 3),
        'noise/memorised_by_class': [50.0, None, 100.0, None],
        'noise/corrected_by_class': [50.0, None, 0.0, None],
    }


def test_by_class_without_class_names():
    metric = Memorisation(by_class=True)
    metric.process({}, [make_sample(1, 2, 0)])
    assert metric.evaluate(1)['noise/memorised_by_class'] == [0.0, None, None]
