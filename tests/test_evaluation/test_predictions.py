import pytest
import torch
from mmpretrain.structures import DataSample

from eac_mm.evaluation import Predictions


def sample(label, score, **known):
    found = DataSample(metainfo=known).set_gt_label(label)
    found.set_pred_score(torch.tensor(score)).set_pred_label(
        int(torch.tensor(score).argmax())
    )
    return found.to_dict()


def test_the_table():
    metric = Predictions()
    metric.dataset_meta = dict(classes=('sad', 'happy'))
    metric.process({}, [sample(0, [0.25, 0.75], img_path='a.jpg')])
    metric.process({}, [sample(1, [0.5, 0.5], sample_idx=7), sample(1, [0.0, 1.0])])
    assert metric.evaluate(3) == {}
    assert metric.table.to_dict('list') == {
        'image': ['a.jpg', 7, 2],
        'label': ['sad', 'happy', 'happy'],
        'prediction': ['happy', 'sad', 'happy'],
        'confidence': [0.75, 0.5, 1.0],
        'p_sad': [0.25, 0.5, 0.0],
        'p_happy': [0.75, 0.5, 1.0],
    }


def test_what_has_no_table():
    metric = Predictions()
    metric.dataset_meta = {}
    with pytest.raises(ValueError, match=r'no names of its classes. Fix: test_data'):
        metric.process({}, [sample(0, [0.5, 0.5])])
    metric.dataset_meta = dict(classes=('sad', 'happy'))
    with pytest.raises(ValueError, match='no probabilities'):
        metric.process({}, [DataSample().set_gt_label(0).to_dict()])
