import json

import numpy as np
import pandas as pd
import pytest
from recorded import record

from eac_mm.audit import audit_labels, read_records
from eac_mm.audit.labels import rank

CLASSES = ('sad', 'fear')


@pytest.fixture
def audit(tmp_path):
    """20 faces a class; faces 0 to 4 are sad, called fear, and known to be sad."""
    true = np.repeat([0, 1], 20)
    labels = np.where(np.arange(40) < 5, 1, true)
    # The network is the surer of sad, the lower the index.
    sure = np.linspace(4, 3, 40)[:, None] * np.where(true[:, None] == [0, 1], 1, -1)
    paths = [f'faces/{i}.png' for i in range(40)]
    record(tmp_path, [[sure], [sure]], labels, CLASSES, paths=paths)
    return audit_labels(read_records(tmp_path))


def test_a_row_a_sample(audit):
    table = audit.table
    assert table['index'].tolist() == list(range(40))
    assert table.path[7] == 'faces/7.png'
    assert table.label.tolist() == ['fear'] * 5 + ['sad'] * 15 + ['fear'] * 20
    assert table.suggestion.tolist() == ['sad'] * 20 + ['fear'] * 20
    # Logits 4 and -4: probability 1 / (1 + e^-8)
    assert table.probability_sad[0] == pytest.approx(1 / (1 + np.exp(-8)))
    np.testing.assert_allclose(table.probability_sad + table.probability_fear, 1)


def test_the_ranking_begins_with_the_surest_contradictions(audit):
    assert audit.score == 'mean_loss'
    assert audit.table['rank'][:5].tolist() == [1, 2, 3, 4, 5]
    # Then the least sure of the others, whose index is highest.
    assert audit.table['rank'][39] == 6
    assert audit.wrong == 5
    assert audit.table.suspect.tolist() == [True] * 5 + [False] * 35
    assert audit.table.cleanlab_issue.tolist() == audit.table.suspect.tolist()


def test_suspects_get_the_suggestion(audit):
    assert audit.corrected_labels().tolist() == [0] * 20 + [1] * 20


def test_another_number_of_suspects(audit):
    fewer = audit.with_suspects(3)
    assert fewer.table.suspect.tolist() == [True] * 3 + [False] * 37
    assert fewer.corrected_labels().tolist() == [0] * 3 + [1] * 2 + [0] * 15 + [1] * 20
    assert (fewer.wrong, fewer.summary()['suspects']) == (5, 3)
    for count in (0, 40):
        with pytest.raises(ValueError, match=f'{count} suspects of 40 .*Fix: 1 to 39'):
            audit.with_suspects(count)


def test_a_suspect_whose_label_is_likeliest_keeps_it(audit):
    audit.table.loc[39, 'suspect'] = True
    assert audit.corrected_labels()[39] == 1
    assert audit.summary()['corrected'] == 5


def test_the_summary(audit):
    summary = json.loads(json.dumps(audit.summary()))
    assert summary['samples'] == 40
    assert (summary['estimated_wrong'], summary['estimated_share']) == (5, 0.125)
    pair = dict(label='fear', suggestion='sad', count=5)
    assert summary['corrected_pairs'] == [pair]
    np.testing.assert_allclose(summary['noise_matrix'], [[0.75, 0.25], [0, 1]])
    assert summary['health'] == 0.875


def test_another_score(tmp_path):
    logits = [[[2, 0], [0, 1], [1, 0], [0, 3]] * 5]
    record(tmp_path, [logits], [0, 1, 1, 0] * 5, CLASSES)
    found = audit_labels(read_records(tmp_path), 'negative_aum')
    # Label minus the other logit: 2, 1, -1, -3
    assert found.table['rank'][:4].tolist() == [16, 11, 6, 1]
    assert 'path' not in found.table
    with pytest.raises(ValueError, match="'aum' is unknown. Fix: .*negative_aum"):
        audit_labels(read_records(tmp_path), 'aum')


def test_a_sample_that_was_never_served_is_last_and_keeps_its_label(tmp_path):
    logits = [[[2, 0], [0, 1], [1, 0], [0, 3]] * 5]
    logits[0][3] = [np.nan, np.nan]
    record(tmp_path, [logits], [0, 1, 1, 0] * 5, CLASSES)
    table = audit_labels(read_records(tmp_path)).table
    assert table['rank'][3] == 20
    assert (table.label[3], table.suggestion[3]) == ('sad', 'sad')


def test_rank():
    scores = pd.Series([0.1, np.nan, 0.5, 0.5, -1])
    assert rank(scores).tolist() == [3, 5, 1, 2, 4]
