"""Read what the labels of a training set are judged by."""

from pathlib import Path

from eac_mm.utils.fold_predictions import FoldPredictions, read_fold_predictions
from eac_mm.utils.training_records import TrainingRecords, read_records

Evidence = TrainingRecords | FoldPredictions


def read_evidence(path: str | Path) -> Evidence:
    """Open the records of a run (a folder), or predictions over folds (a file).

    Raises:
        FileNotFoundError: If the folder was not recorded, or there is nothing.
        ValueError: If a file is damaged, or another one.
    """
    is_file = Path(path).is_file() or Path(path).suffix == '.npz'
    return (read_fold_predictions if is_file else read_records)(path)
