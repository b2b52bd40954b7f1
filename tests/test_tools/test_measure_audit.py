import importlib.util
from pathlib import Path

import pandas as pd
from recorded import record

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location(
    'measure_audit', ROOT / 'tools' / 'measure_audit.py'
)
measure_audit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(measure_audit)


def test_rows_replace_those_of_the_same_name(tmp_path, capsys):
    clean, noisy = [0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 0]
    for name, sure in (('bad', -1), ('good', 3)):
        logits = [[[sure * (1 - 2 * label), 0] for label in clean]]
        record(tmp_path / name, [logits], noisy, ('a', 'b'), clean_labels=clean)
    out = tmp_path / 'new' / 'table.csv'
    for run, name in (('bad', 'a'), ('good', 'b'), ('good', 'a')):
        measure_audit.main([str(tmp_path / run), '--name', name, '--out', str(out)])
    table = pd.read_csv(out)
    loss = table[table.score == 'mean_loss']
    assert loss.name.tolist() == ['b', 'a']
    assert loss.auroc.tolist() == [1, 1]
    assert 'mean_loss' in capsys.readouterr().out
