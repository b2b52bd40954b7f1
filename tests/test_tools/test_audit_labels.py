import importlib.util
from pathlib import Path

import numpy as np
import pytest
from recorded import record

from eac_mm.apis import load_config
from eac_mm.datasets import NoisyLabels, SyntheticFER

ROOT = Path(__file__).parents[2]
TOOL = ROOT / 'tools' / 'audit_labels.py'
_spec = importlib.util.spec_from_file_location('audit_labels', TOOL)
audit_labels = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit_labels)

SIZE = 60
OPTION = f'train_dataloader.dataset.dataset.size={SIZE}'


@pytest.fixture
def run(tmp_path):
    """A run that a perfect network has recorded, and how many labels are wrong."""
    data = NoisyLabels(SyntheticFER(size=SIZE, img_size=48, pipeline=[]), rate=0.3)
    logits = 4 * np.eye(7)[data.clean_labels]
    record(tmp_path, [[logits]] * 2, data.given_labels, data.CLASSES)
    recipe = ROOT / 'configs/baseline/resnet18_syntheticfer_noise30.py'
    load_config(recipe).dump(tmp_path / 'recipe.py')
    return tmp_path, len(data.wrong_indices)


def test_prints_counts_and_files(run, capsys):
    folder, wrong = run
    audit_labels.main([str(folder), '--no-survey', '--cfg-options', OPTION])
    printed = capsys.readouterr().out
    assert f'{SIZE} labels, ranked by mean_loss' in printed
    assert f'wrong by estimation: {wrong} (' in printed
    assert f'corrected: {wrong}\n' in printed
    for name in ('labels.csv', 'labels.parquet', 'summary.json'):
        path = folder / 'audit' / name
        assert str(path) in printed
        assert path.is_file()


def test_a_recipe_is_trained_and_recorded_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    recipe = 'baseline/resnet18_syntheticfer_noise30'
    options = {
        'train_dataloader.dataset.dataset.size': SIZE,
        'val_dataloader.dataset.size': 8,
        'train_cfg.max_epochs': 1,
        'optim_wrapper.type': 'OptimWrapper',
    }
    options = [f'{key}={value}' for key, value in options.items()]
    folder = tmp_path / 'work_dirs' / recipe
    command = [recipe, '--no-survey', '--no-page', '--cfg-options', *options]
    for _ in range(2):
        audit_labels.main(command)
        assert f'{SIZE} labels, ranked by mean_loss' in capsys.readouterr().out
        assert (folder / 'audit' / 'labels.csv').is_file()
    assert len(list(folder.glob('records/epoch_*'))) == 1
    trained = [p for p in folder.glob('2*/*.log') if 'Epoch(train)' in p.read_text()]
    assert len(trained) == 1  # the second time there was nothing to train
