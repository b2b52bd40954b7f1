"""The whole way: train, audit, train on the corrected labels."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from recorded import record
from short_training import OPTIONS, SAMPLES, train

from eac_mm.apis import audit_run, load_config
from eac_mm.apis.auditing import find_config
from eac_mm.datasets import NoisyLabels
from eac_mm.engine.hooks import TrainingRecorderHook

RECIPE = Path(__file__).parents[2] / 'configs/eac/resnet18_syntheticfer_noise30.py'
SIZE = {'train_dataloader.dataset.dataset.size': SAMPLES}


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('recorded') / 'run'
    return train(RECIPE, folder, TrainingRecorderHook())


def test_train_audit_and_train_on_the_corrected_labels(run, tmp_path):
    data = run.train_dataloader.dataset.dataset
    audit, files = audit_run(run.work_dir, tmp_path, config=RECIPE, options=SIZE)
    names = {path.name for path in files}
    assert names == {
        'labels.csv',
        'labels.parquet',
        'noise_matrix.csv',
        'summary.json',
        'corrected_labels.txt',
        'report.html',
        'left_out.txt',
        'relabelled.py',
        'removed.py',
    }
    table = pd.read_csv(tmp_path / 'labels.csv')
    classes = np.array(data.CLASSES)
    assert table.label.tolist() == classes[data.given_labels].tolist()
    assert sorted(table['rank']) == list(range(1, SAMPLES + 1))
    assert table['suspect'].sum() == audit.wrong
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert summary['near_duplicates'] == dict(
        threshold=0.01, images=0, groups=0, disagreeing=[]
    )
    assert table.outlier.between(0, 1).all()
    assert table.outlier.nunique() == SAMPLES
    counts = np.bincount(data.clean_labels, minlength=7)
    assert summary['dataset']['in_memory']
    assert list(summary['dataset']['classes'].values()) == counts.tolist()

    again = train(tmp_path / 'relabelled.py', tmp_path / 'again')
    trained_on = again.train_dataloader.dataset.dataset
    assert isinstance(trained_on, NoisyLabels)
    corrected = audit.corrected_labels()
    np.testing.assert_array_equal(trained_on.get_gt_labels(), corrected)
    suspect = table.suspect.to_numpy()
    np.testing.assert_array_equal(corrected[~suspect], data.given_labels[~suspect])
    wanted = np.where(suspect, table.suggestion, table.label)
    assert classes[corrected].tolist() == wanted.tolist()


def test_train_without_the_suspects(run, tmp_path, monkeypatch):
    data = run.train_dataloader.dataset.dataset
    audit, _ = audit_run(
        run.work_dir, tmp_path, config=RECIPE, options=SIZE, suspects=6
    )
    # The page shows half as many again, whatever the estimate.
    assert audit.wrong != 6
    page = (tmp_path / 'report.html').read_text(encoding='utf-8')
    shown = re.search('id="data">(.*?)</script>', page, re.DOTALL)[1]
    assert len(json.loads(shown)['shown']) == 9
    table = audit.table
    assert table.suspect.tolist() == (table['rank'] <= 6).tolist()
    # The recipe has the size of the audited data.
    monkeypatch.delitem(OPTIONS, 'train_dataloader.dataset.dataset.size')
    again = train(tmp_path / 'removed.py', tmp_path / 'again')
    trained_on = again.train_dataloader.dataset
    assert trained_on.indices == np.flatnonzero(table['rank'] > 6).tolist()
    # They keep their own noisy labels.
    labels = data.given_labels[trained_on.indices]
    np.testing.assert_array_equal(trained_on.get_gt_labels(), labels)
    assert len(again.train_dataloader) == 3  # 18 samples, eight a step


def test_a_data_set_that_is_not_the_run_s(run, tmp_path):
    other = {**SIZE, 'train_dataloader.dataset.seed': 1}
    with pytest.raises(
        ValueError, match='was trained on 24 labels or images that are not'
    ):
        audit_run(run.work_dir, tmp_path, config=RECIPE, options=other)


def test_the_recipe_is_found_in_the_run_s_folder(tmp_path):
    cfg = load_config(RECIPE, SIZE)
    cfg.dump(tmp_path / 'recipe.py')
    (tmp_path / 'recipe_test.py').touch()  # tools/test.py writes one, too
    assert find_config(tmp_path) == tmp_path / 'recipe.py'
    (tmp_path / 'other.py').touch()
    with pytest.raises(FileNotFoundError, match='holds 2 recipes .* by --config'):
        find_config(tmp_path)


def test_a_run_that_was_not_recorded(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no record of an epoch'):
        audit_run(tmp_path)


def test_an_unknown_score_writes_nothing(tmp_path):
    record(tmp_path, [[[[1, 0], [0, 1]] * 4]], [0, 1] * 4, ('a', 'b'))
    with pytest.raises(ValueError, match="'luck' is unknown"):
        audit_run(tmp_path, score='luck')
    assert not (tmp_path / 'audit').exists()
