import numpy as np
import pytest
from recorded import record

from eac_mm.audit import read_evidence
from eac_mm.utils.fold_predictions import FoldPredictions, write_fold_predictions
from eac_mm.utils.training_records import TrainingRecords


def test_a_folder_is_a_run_and_a_file_holds_folds(tmp_path):
    record(tmp_path, [[[[1, 0], [0, 1]]]] * 3, [0, 1], ('a', 'b'))
    run = read_evidence(tmp_path)
    assert isinstance(run, TrainingRecords)
    assert (run.path, run.passes) == (tmp_path, 3)
    samples = dict(noisy_labels=np.array([0, 1]), classes=np.array(['a', 'b']))
    write_fold_predictions(tmp_path / 'f.npz', samples, np.eye(2), 2, 5, {})
    assert isinstance(read_evidence(tmp_path / 'f.npz'), FoldPredictions)
    with pytest.raises(FileNotFoundError, match='g.npz does not exist. Fix: '):
        read_evidence(tmp_path / 'g.npz')
