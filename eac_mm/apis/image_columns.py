"""What a label audit says of the images themselves, beside their labels."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine import Config

from eac_mm.audit import LabelAudit
from eac_mm.audit.looks import THRESHOLD, near_duplicates, outlier_scores, thumbnail
from eac_mm.utils.checkpoints import newest_whole

from .figures import features_of
from .plain_images import as_tested, batches
from .trained_model import load_model


def with_image_columns(audit: LabelAudit, run: str | Path, cfg: Config) -> LabelAudit:
    """Add what the images look like to an audit's table, in one pass over them.

    - ``duplicates``: number of the group of near-duplicates, 0 for none; see
      :func:`~eac_mm.audit.looks.near_duplicates`
    - ``duplicates_disagree``: whether the images of the group have several labels
    - ``outlier``: :func:`~eac_mm.audit.looks.outlier_scores` of the run's newest
      checkpoint; left out without one

    Args:
        audit: The audit.
        run: Work directory of the run.
        cfg: Its recipe.

    Raises:
        ValueError: If the recipe joins several data sets.
    """
    model = None if newest_whole(run) is None else load_model(run)
    thumbnails, features = [], []
    data = as_tested(cfg)
    for batch in batches(data, range(len(data))):
        images = [item['inputs'] for item in batch]
        thumbnails += [thumbnail(image.permute(1, 2, 0).numpy()) for image in images]
        if model is not None:
            features.append(features_of(model, torch.stack(images)))
    groups = near_duplicates(np.stack(thumbnails))
    labels = audit.table.label.groupby(groups).transform('nunique').to_numpy()
    columns = dict(duplicates=groups, duplicates_disagree=(groups > 0) & (labels > 1))
    if features and len(groups) > 1:
        columns['outlier'] = outlier_scores(np.concatenate(features))
    return replace(audit, table=audit.table.assign(**columns))


def summarise_duplicates(audit: LabelAudit) -> dict[str, Any]:
    """Count near-duplicates, and list those with different labels, as plain values."""
    table = audit.table
    groups = table[table.duplicates_disagree].groupby('duplicates')
    columns = ['index', *(['path'] if 'path' in table else []), 'label', 'rank']
    return dict(
        threshold=THRESHOLD,
        images=int((table.duplicates > 0).sum()),
        groups=int(table.duplicates.max()),
        disagreeing=[group[columns].to_dict('records') for _, group in groups],
    )
