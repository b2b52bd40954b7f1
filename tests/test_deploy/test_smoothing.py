import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from eac_mm.deploy.smoothing import Smoother, overlap


def face(left, *score):
    box = np.array([left, 0, left + 10, 10.0])
    return DataSample(metainfo=dict(box=box)).set_pred_score(torch.tensor(score))


def test_a_moving_average_of_each_face():
    smooth = Smoother(0.5)
    assert smooth([face(0, 1.0, 0.0), face(50, 0.0, 1.0)])[0].tolist() == [1, 0]
    # The faces come in another order, and have moved a little.
    right, left = smooth([face(51, 0.4, 0.6), face(2, 0.0, 1.0)])
    assert left.tolist() == [0.5, 0.5]
    assert right.tolist() == pytest.approx([0.2, 0.8])
    assert smooth([face(0, 0.0, 1.0)])[0].tolist() == [0.25, 0.75]


def test_another_face_starts_anew():
    smooth = Smoother(0.5)
    smooth([face(0, 1.0, 0.0)])
    assert smooth([face(8, 0.0, 1.0)])[0].tolist() == [0, 1]  # 2 of 18 shared


def test_a_face_that_is_lost_for_a_while():
    for gap, expected in ((10, [0.5, 0.5]), (11, [0, 1])):
        smooth = Smoother(0.5)
        smooth([face(0, 1.0, 0.0)])
        for _ in range(gap):
            smooth([])
        assert smooth([face(0, 0.0, 1.0)])[0].tolist() == expected


def test_overlap():
    one, other = np.array([0, 0, 10, 10.0]), np.array([5, 0, 15, 10.0])
    assert overlap(one, other) == pytest.approx(50 / 150)
    assert overlap(one, one) == 1
    assert overlap(one, other + 20) == 0
    assert overlap(one * 0, one * 0) == 0


@pytest.mark.parametrize('weight', [-0.1, 1.0])
def test_weights_that_are_not_allowed(weight):
    with pytest.raises(ValueError, match=r'Fix: give 0 to below 1'):
        Smoother(weight)
