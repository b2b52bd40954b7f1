import importlib.util
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from mmengine.runner import Runner
from mmpretrain.registry import DATASETS

from eac_mm.apis import audit_run, load_config
from eac_mm.audit import read_evidence
from eac_mm.audit.measure import measure_scores
from eac_mm.utils.fold_predictions import write_fold_predictions

ROOT = Path(__file__).parents[2]
RECIPE = str(ROOT / 'configs/baseline/resnet18_syntheticfer_noise30.py')
_spec = importlib.util.spec_from_file_location(
    'cross_fit_tool', ROOT / 'tools' / 'cross_fit.py'
)
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)
OPTIONS = [
    'train_dataloader.dataset.dataset.size=24',
    'train_dataloader.batch_size=8',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'train_cfg.max_epochs=1',
    'log_level=ERROR',
]


def assert_it_can_be_audited_and_measured(file):
    options = {'train_dataloader.dataset.dataset.size': 24}
    audit, files = audit_run(file, config=RECIPE, options=options)
    assert audit.score == 'cleanlab_self_confidence'
    assert {path.parent for path in files} == {file.parent / 'annotator_audit'}
    folds = read_evidence(file)
    own = folds.probabilities[np.arange(24), folds.noisy_labels]
    np.testing.assert_allclose(audit.table.cleanlab_self_confidence, 1 - own)
    measured = measure_scores([folds])
    # One network of two trained on each image, for one epoch; the other predicts it.
    assert measured.passes.tolist() == [2] * 3
    with pytest.raises(ValueError, match='does not hold the recipe. Fix: '):
        audit_run(file)
    # The same labels under other names are other data.
    facts = dict(folds.fingerprint, names='other')
    samples = dict(noisy_labels=folds.noisy_labels, classes=np.array(folds.classes))
    write_fold_predictions(file, samples, folds.probabilities, 2, 2, facts)
    with pytest.raises(ValueError, match='labels or images that are not those'):
        audit_run(file, config=RECIPE, options=options)


def test_it_writes_a_file_that_the_recipe_of_ltnet_reads(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)
    out, work_dir = tmp_path / 'annotator.txt', tmp_path / 'runs'
    words = [RECIPE, str(out), '--folds', '2', '--work-dir', str(work_dir)]
    manifest = tool.main([*words, '--cfg-options', *OPTIONS])
    assert f'{100 * manifest.measured_rate:.2f} % differ' in capsys.readouterr().out
    assert {path.name for path in work_dir.iterdir()} == {'fold1of2', 'fold2of2'}

    options = {'train_dataloader.dataset.dataset.size': 24}
    options['train_dataloader.dataset.annotators'] = [str(out)]
    recipe = ROOT / 'configs/ltnet/resnet18_syntheticfer_noise30.py'
    data = DATASETS.build(load_config(recipe, options).train_dataloader.dataset)
    assert data.annotator_labels.shape == (24, 1)

    assert_it_can_be_audited_and_measured(out.with_suffix('.npz'))

    before = out.read_text()
    with pytest.raises(FileExistsError, match='Fix: choose another name'):
        tool.main(words)
    # An interrupted call goes on with the trainings that are there.
    trained = sorted(work_dir.rglob('*.pth'))
    times = [path.stat().st_mtime_ns for path in trained]
    tool.main([*words, '--force', '--cfg-options', *OPTIONS])
    assert out.read_text() == before
    assert [path.stat().st_mtime_ns for path in trained] == times


def test_a_signal_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    def stopped(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr('eac_mm.apis.cross_fit', stopped)
    with pytest.raises(SystemExit) as ended:
        tool.main([RECIPE, str(tmp_path / 'annotator.txt')])
    assert ended.value.code == 143
    assert 'Stopped by SIGTERM. The same command goes on' in capsys.readouterr().err
