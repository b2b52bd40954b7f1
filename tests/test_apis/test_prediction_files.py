import csv
import json

import cv2
import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from eac_mm.apis.prediction_files import PredictionFiles

CLASSES = ('sad', 'happy')


def face():
    sample = DataSample(
        metainfo=dict(
            source='a, b.jpg',
            frame=3,
            face=1,
            status='ok',
            reason='',
            expression='happy',
            box=np.array([1, 2, 3, 4.5]),
            points=np.arange(10.0).reshape(5, 2),
            score=0.98765432,
            roll=-1.234,
            matrix=np.eye(2, 3),
        )
    ).set_pred_score(torch.tensor([0.25, 0.75]))
    sample.set_field(torch.tensor([[0.5, 1.0]]), 'attention')
    return sample


def test_rows_and_lines(tmp_path):
    bad = DataSample(metainfo=dict(source='b', face=0, status='no_face', reason=''))
    with PredictionFiles(tmp_path / 'out', CLASSES) as files:
        files.add(face())
        # On the disk at once.
        assert len((tmp_path / 'out/predictions.csv').read_text().splitlines()) == 2
        files.add(bad)
    with (tmp_path / 'out/predictions.csv').open(newline='') as file:
        one, other = csv.DictReader(file)
    assert one['source'] == 'a, b.jpg'
    assert (one['frame'], one['face'], one['status']) == ('3', '1', 'ok')
    assert (one['expression'], one['confidence']) == ('happy', '0.75')
    assert (one['p_sad'], one['p_happy']) == ('0.25', '0.75')
    assert [one[s] for s in ('left', 'top', 'right', 'bottom')] == [
        *('1.0', '2.0', '3.0', '4.5')
    ]
    assert (one['left_eye_x'], one['mouth_right_y']) == ('0.0', '9.0')
    assert (one['score'], one['roll']) == ('0.9877', '-1.23')
    assert (other['source'], other['status'], other['expression']) == (
        *('b', 'no_face', ''),
    )
    lines = (tmp_path / 'out/predictions.jsonl').read_text().splitlines()
    one, other = map(json.loads, lines)
    assert one['probabilities'] == dict(sad=0.25, happy=0.75)
    assert one['points']['nose'] == [4, 5]
    assert one['attention'] == [[0.5, 1.0]]
    assert one['matrix'] == [[1, 0, 0], [0, 1, 0]]
    assert other == dict(source='b', frame=None, face=0, status='no_face', reason='')


def test_an_earlier_prediction_is_kept(tmp_path):
    PredictionFiles(tmp_path, CLASSES).__exit__(None, None, None)
    with pytest.raises(ValueError, match=r'holds a prediction. Fix: another --out'):
        PredictionFiles(tmp_path, CLASSES)
    PredictionFiles(tmp_path, CLASSES, overwrite=True).__exit__(None, None, None)


def test_pictures_of_one_name(tmp_path):
    with PredictionFiles(tmp_path, CLASSES) as files:
        paths = [
            files.draw(name, np.full((8, 8, 3), level, np.uint8))
            for name, level in (('x/a b.png', 0), ('y/a b.png', 255))
        ]
    assert [path.name for path in paths] == ['0001_a_b.jpg', '0002_a_b.jpg']
    assert [cv2.imread(str(path)).mean() for path in paths] == [0, 255]
