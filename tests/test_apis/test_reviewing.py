"""From a recorded run to its review page."""

import base64
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from short_training import SAMPLES, train

from eac_mm.apis import load_config, load_model
from eac_mm.apis.reviewing import (
    below,
    names_of,
    nearest,
    picture,
    review_page,
    seen,
)
from eac_mm.audit import audit_labels, read_records
from eac_mm.datasets import CSVFaces, NoisyLabels, SyntheticFER
from eac_mm.engine.hooks import TrainingRecorderHook

RECIPE = Path(__file__).parents[2] / 'configs/eac/resnet18_syntheticfer_noise30.py'
SIZE = {'train_dataloader.dataset.dataset.size': SAMPLES}


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('reviewed') / 'run'
    return train(RECIPE, folder, TrainingRecorderHook())


@pytest.fixture
def review(run, tmp_path):
    def write(count=None):
        records = read_records(run.work_dir)
        audit, cfg = audit_labels(records), load_config(RECIPE, SIZE)
        page = review_page(run.work_dir, audit, records, cfg, tmp_path, count)
        assert page == tmp_path / 'report.html'
        text = page.read_text(encoding='utf-8')
        data = re.search('id="data">(.*?)</script>', text, re.DOTALL)[1]
        return audit, json.loads(data)

    return write


def test_the_page_shows_the_most_suspect_labels(run, review):
    audit, data = review(5)
    table = audit.table
    wanted = [int(np.flatnonzero(table['rank'] == rank)[0]) for rank in range(1, 6)]
    assert data['shown'] == wanted
    assert next(iter(data['scores'])) == audit.score
    assert {'wrong_events', 'last_loss', 'attention_disagreement'} <= set(
        data['scores']
    )
    assert not {'rank', 'index', 'suspect'} & set(data['scores'])
    noisy = run.train_dataloader.dataset.dataset
    assert data['labels'] == noisy.given_labels.tolist()
    assert len(data['names']) == SAMPLES
    suggested = [data['classes'][label] for label in data['suggestions']]
    assert suggested == table.loc[wanted, 'suggestion'].tolist()
    # Two epochs of loss for each; the largest is 254.
    curves = np.frombuffer(base64.b64decode(data['curves']), np.uint8)
    assert (len(curves), curves.max()) == (10, 254)
    assert len(base64.b64decode(data['attention']['maps'])) == 5 * 3 * 3
    assert [len(set(row) - {i}) for i, row in enumerate(data['neighbours'])] == [4] * 5


def test_more_labels_are_shown_than_are_thought_wrong(review):
    audit, data = review()
    assert len(data['shown']) == min(SAMPLES, max(1, round(1.5 * audit.wrong)))


def test_a_count_below_1(review):
    with pytest.raises(ValueError, match='count=0. Fix: '):
        review(0)


def test_nearest_by_hand():
    features = np.array([[1.0, 0], [0, 1], [5, 0.1], [0.1, 3]])
    assert nearest(features)[:, 0].tolist() == [2, 3, 0, 1]


def test_without_a_checkpoint_there_is_no_attention(tmp_path):
    assert seen(tmp_path, None, np.array([0, 1])) == (None, None)


def test_attention_is_of_the_predicted_class(run):
    model = load_model(run.work_dir)
    images = torch.randint(0, 256, (2, 3, 48, 48), dtype=torch.uint8)
    data = [dict(inputs=image) for image in images]
    maps, near = seen(run.work_dir, data, np.array([0, 1]))
    with torch.no_grad():
        inputs = model.network.data_preprocessor(dict(inputs=list(images)))['inputs']
        logits = model.network(inputs, mode='tensor')
    bias = model.network.head.fc.bias.detach()
    wanted = (logits - bias)[[0, 1], logits.argmax(1)]
    assert maps.mean((1, 2)) == pytest.approx(wanted.numpy(), abs=1e-4)
    assert near.tolist() == [[1], [0]]


def test_names_of_files_count_from_the_data_root(tmp_path):
    for name in ('faces/a/1.png', 'elsewhere/2.png'):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    (tmp_path / 'faces/list.csv').write_text('image,label\n1.png,sad\n1.png,sad\n')
    faces = CSVFaces(
        data_root=str(tmp_path / 'faces'),
        ann_file='list.csv',
        data_prefix='a',
        classes=('sad', 'happy'),
    )
    names = names_of(NoisyLabels(faces))
    # The second is what the list itself calls them.
    assert names == (['a/1.png'] * 2, ['1.png'] * 2, True)
    outside = tmp_path / 'elsewhere/2.png'
    assert below(outside, tmp_path / 'faces') == outside.as_posix()


def test_names_of_images_in_memory():
    faces = NoisyLabels(SyntheticFER(size=2, img_size=48, pipeline=[]))
    numbers = ['000000', '000001']
    assert names_of(faces) == (numbers, numbers, False)


def test_pictures_are_rgb():
    blue = torch.zeros(3, 2, 2, dtype=torch.uint8)
    blue[0] = 200  # the first channel of what OpenCV loads
    data = [dict(inputs=blue)]
    assert picture(data, 0, bgr=True)[0, 0].tolist() == [0, 0, 200]
    assert picture(data, 0, bgr=False)[0, 0].tolist() == [200, 0, 0]
