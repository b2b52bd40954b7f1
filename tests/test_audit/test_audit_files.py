import json

import numpy as np
import pandas as pd

from eac_mm.audit import LabelAudit, write_audit


def test_files(tmp_path):
    table = pd.DataFrame(
        dict(
            index=[0, 1],
            path=['a,b.png', 'ü "q".png'],
            label=['sad', 'happy'],
            suggestion=['happy', 'happy'],
            rank=[1, 2],
            suspect=[True, False],
            mean_loss=[2.123456789, np.nan],
        )
    )
    noise = np.array([[0.75, 0.25], [0, 1]])
    classes, scores = ('sad', 'happy'), ('mean_loss',)
    audit = LabelAudit(table, classes, 'mean_loss', 1, noise, {'health': 0.5}, scores)
    files = write_audit(audit, tmp_path / 'new' / 'audit', dict(run='here'))
    names = ['labels.csv', 'labels.parquet', 'noise_matrix.csv', 'summary.json']
    assert [path.name for path in files] == names
    text = files[0].read_text(encoding='utf-8').splitlines()
    assert text[1] == '0,"a,b.png",sad,happy,1,True,2.12346'
    pd.testing.assert_frame_equal(pd.read_parquet(files[1]), table)
    matrix = pd.read_csv(files[2], index_col=0)
    assert matrix.loc['sad', 'happy'] == 0.25
    assert matrix.index.name == 'true class'
    summary = json.loads(files[3].read_text())
    assert (summary['run'], summary['health'], summary['corrected']) == ('here', 0.5, 1)
