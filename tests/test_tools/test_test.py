"""What tools/test.py writes, on synthetic faces."""

import json
import runpy
from pathlib import Path

import pandas as pd
import pytest
from trained import RECIPE, save_checkpoint

TOOL = Path(__file__).parents[2] / 'tools' / 'test.py'


def test_results_and_metrics_agree(tmp_path, capsys):
    checkpoint = save_checkpoint(tmp_path / 'epoch_1.pth')
    recipe = tmp_path / 'recipe.py'
    # Metrics that return tensors and lists, beside the usual ones.
    recipe.write_text(
        f'_base_ = {RECIPE!r}\n'
        'test_evaluator = [\n'
        "    dict(type='Accuracy'),\n"
        "    dict(type='MeanClass', by_class=True),\n"
        "    dict(type='ConfusionMatrix'),\n"
        "    dict(type='SingleLabelMetric', average=None),\n"
        ']\n'
    )
    options = ['test_dataloader.dataset.size=60', 'test_dataloader.num_workers=0']
    metrics = runpy.run_path(str(TOOL))['main'](
        [
            *(str(recipe), str(checkpoint), '--work-dir', str(tmp_path / 'work')),
            *('--out', str(tmp_path / 'metrics.json')),
            *('--results', str(tmp_path / 'results'), '--cfg-options', *options),
        ]
    )
    written = json.loads((tmp_path / 'metrics.json').read_text())
    matrix = written['confusion_matrix/result']
    assert matrix == metrics['confusion_matrix/result'].tolist()
    counts = pd.read_csv(tmp_path / 'results/confusion.csv', index_col='label')
    assert counts.to_numpy().tolist() == matrix
    rows = pd.read_csv(tmp_path / 'results/by_class.csv')
    expected = written['single-label/precision_classwise']
    assert rows['precision'][:7].tolist() == pytest.approx(expected, abs=1e-3)
    expected = written['mean_class/accuracy_by_class']
    assert rows['recall'][:7].tolist() == pytest.approx(expected, abs=1e-3)
    table = pd.read_csv(tmp_path / 'results/predictions.csv')
    assert len(table) == 60
    right = 100 * (table['label'] == table['prediction']).mean()
    assert right == pytest.approx(written['accuracy/top1'], abs=1e-4)
    assert f'accuracy {right:.2f} %' in capsys.readouterr().out
