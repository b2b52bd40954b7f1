"""Write a label audit to files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from eac_mm.utils.files import write_atomically

from .labels import LabelAudit


def write_audit(
    audit: LabelAudit, folder: str | Path, extra: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write an audit.

    - ``labels.csv`` and ``labels.parquet``: :attr:`LabelAudit.table`
    - ``noise_matrix.csv``: the estimated noise matrix, a row for each true class
    - ``summary.json``: :meth:`LabelAudit.summary` and ``extra``

    Args:
        audit: The audit.
        folder: Where the files go; it is made if it is missing.
        extra: More entries of the summary.

    Returns:
        The files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    noise = pd.DataFrame(audit.noise, audit.classes, audit.classes)
    noise.index.name = 'true class'
    summary = {**audit.summary(), **(extra or {})}
    contents = {
        'labels.csv': audit.table.to_csv(index=False, float_format='%.6g').encode(),
        'labels.parquet': audit.table.to_parquet(index=False),
        'noise_matrix.csv': noise.to_csv(float_format='%.6g').encode(),
        'summary.json': (json.dumps(summary, indent=1) + '\n').encode(),
    }
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return [folder / name for name in contents]
