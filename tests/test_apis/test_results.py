import json

import cv2
import pandas as pd
import pytest

from eac_mm.apis.results import write_results

CLASSES = ('sad', 'happy')


def test_files(tmp_path):
    table = pd.DataFrame(
        {
            'image': ['a', 'b', 'c', 'd'],
            'label': ['sad', 'sad', 'happy', 'sad'],
            'prediction': ['sad', 'happy', 'happy', 'sad'],
            'confidence': [0.9, 0.6, 0.7, 0.8],
            'p_sad': [0.9, 0.4, 0.3, 0.8],
            'p_happy': [0.1, 0.6, 0.7, 0.2],
        }
    )
    text = write_results(table, CLASSES, tmp_path / 'out')
    assert 'accuracy 75.00 %, mean class accuracy 83.33 %' in text
    summary = json.loads((tmp_path / 'out/summary.json').read_text())
    assert summary['images'] == 4
    assert summary['accuracy'] == 75
    assert summary['mean_class_accuracy'] == pytest.approx(250 / 3)
    # All predictions stand in bins of their own: 0.1, 0.6, 0.3 and 0.2 off.
    assert summary['calibration']['error'] == pytest.approx(0.3)
    rows = pd.read_csv(tmp_path / 'out/by_class.csv')
    assert rows['recall'].tolist() == pytest.approx([200 / 3, 100, 250 / 3], abs=1e-4)
    counts = pd.read_csv(tmp_path / 'out/confusion.csv', index_col='label')
    assert counts.loc['sad'].to_dict() == dict(sad=2, happy=1)
    assert pd.read_csv(tmp_path / 'out/predictions.csv').equals(table)
    for name in ('confusion', 'reliability'):
        assert cv2.imread(str(tmp_path / f'out/{name}.png')) is not None
        assert (tmp_path / f'out/{name}.svg').is_file()
