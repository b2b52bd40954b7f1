"""From a label audit to the page on which a person reviews it."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from mmengine import Config
from torch.utils.data import Dataset

from eac_mm.audit import LabelAudit, Suspects, write_review_page
from eac_mm.audit.evidence import Evidence
from eac_mm.datasets.labels import Annotations
from eac_mm.datasets.sample_table import numbering_data_set
from eac_mm.datasets.wrappers import walk
from eac_mm.models.attention import class_attention
from eac_mm.utils.checkpoints import newest_whole
from eac_mm.utils.fold_predictions import FoldPredictions
from eac_mm.visualization import classification_losses

from .figures import features_of, file_paths, gives_bgr
from .plain_images import as_tested, batches
from .trained_model import TrainedModel, load_model

PAGE = 'report.html'
NEIGHBOURS = 6
# More than the estimated number of wrong labels, so that a reader sees where they end.
MARGIN = 1.5


def review_page(
    run: str | Path,
    audit: LabelAudit,
    records: Evidence,
    cfg: Config,
    folder: str | Path,
    count: int | None = None,
) -> Path:
    """Write the review page of an audit.

    Attention maps and nearest images need a checkpoint in the run's folder, and are
    left out without one.

    Args:
        run: Work directory of the run.
        audit: Of its labels.
        records: Of the run. Predictions over folds give no loss curves.
        cfg: Its recipe.
        folder: Where ``report.html`` goes.
        count: How many of the most suspect labels to show. Defaults to None: half as
            many again as are suspects, by estimation or by ``with_suspects``.

    Raises:
        ValueError: If ``count`` is below 1, or the recipe joins several data sets.
    """
    if count is not None and count < 1:
        raise ValueError(f'count={count}. Fix: show 1 label or more.')
    if count is None:
        count = max(1, round(MARGIN * audit.table.suspect.sum()))
    table, classes = audit.table, list(audit.classes)
    shown = table.sort_values('rank').index[:count].to_numpy()
    data = as_tested(cfg)
    numbers = {name: label for label, name in enumerate(classes)}
    rows = table.loc[shown]
    attention, neighbours = seen(run, data, shown)
    others = [name for name in audit.scores if name != audit.score]
    names, keys, on_disk = names_of(data)
    suspects = Suspects(
        classes=classes,
        names=names,
        keys=keys,
        files=on_disk,
        labels=records.noisy_labels,
        shown=shown,
        suggestions=rows['suggestion'].map(numbers).to_numpy(),
        probabilities=rows[[f'probability_{name}' for name in classes]].to_numpy(),
        scores={
            **{name: rows[name].to_numpy(float) for name in (audit.score, *others)},
            **image_scores(rows),
        },
        losses=loss_curves(records, shown),
        attention=attention,
        neighbours=neighbours,
    )
    path = Path(folder, PAGE)
    title = f'Suspect labels of {Path(run).name}'
    bgr = gives_bgr(cfg, data)
    write_review_page(path, suspects, (picture(data, i, bgr) for i in shown), title)
    return path


def image_scores(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return by what of their images, beside the labels, suspects can be sorted.

    ``duplicates_disagree`` is the group's number, so that near-duplicates of different
    labels come first, each beside the others; 0 for all other images.
    """
    if 'duplicates' not in rows:
        return {}
    groups = rows.duplicates.where(rows.duplicates_disagree, 0)
    found = dict(duplicates_disagree=groups.to_numpy(float))
    if 'outlier' in rows:
        found['outlier'] = rows.outlier.to_numpy(float)
    return found


def loss_curves(records: Evidence, shown: np.ndarray) -> np.ndarray | None:
    """Return the loss of labels in each epoch, (K, E), or None without epochs."""
    if isinstance(records, FoldPredictions):
        return None
    epochs = range(1, len(records) + 1)
    losses = [classification_losses(records, epoch)[shown] for epoch in epochs]
    return np.stack(losses, axis=1)


def names_of(data: Dataset) -> tuple[list[str], list[str], bool]:
    """Return how the samples of a data set are named.

    Returns:
        The path of each image below the data root, in full if it is elsewhere, or its
        name if there is no such file; its name in the data set; and whether there are
        such files.
    """
    annotations = Annotations(numbering_data_set(data))
    keys = [annotations.name_of(i) for i in range(len(annotations))]
    paths = file_paths(data)
    if paths is None:
        return keys, keys, False
    roots = (getattr(part, 'data_root', None) for part in walk(data))
    root = Path(next(filter(None, roots), '.')).resolve()
    return [below(Path(path).resolve(), root) for path in paths], keys, True


def below(path: Path, root: Path) -> str:
    """Return a path as seen from a folder, or as it is if it is not inside."""
    inside = path.is_relative_to(root)
    return (path.relative_to(root) if inside else path).as_posix()


def picture(data: Dataset, index: int, bgr: bool) -> np.ndarray:
    """Return a training image as the network is tested on it, RGB (H, W, 3)."""
    image = data[int(index)]['inputs'].permute(1, 2, 0).numpy()
    return image[..., ::-1] if bgr else image


def seen(
    run: str | Path, data: Dataset, shown: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the attention maps of suspects and the places of their nearest ones.

    Returns:
        Maps (K, H, W) of the predicted classes, and places (K, M) by the cosine of the
        pooled features. Each is None if it cannot be had: without a checkpoint, for a
        classifier that is not linear, for a single suspect.
    """
    if newest_whole(run) is None:
        return None, None
    model = load_model(run)
    features, maps = [], []
    for batch in batches(data, shown):
        images = torch.stack([item['inputs'] for item in batch])
        features.append(features_of(model, images))
        maps.append(predicted_attention(model, images))
    near = nearest(np.concatenate(features)) if len(shown) > 1 else None
    return None if maps[0] is None else np.concatenate(maps), near


@torch.no_grad()
def predicted_attention(model: TrainedModel, images: torch.Tensor) -> np.ndarray | None:
    """Return the attention maps (N, H, W) of the predicted classes."""
    inputs = model.network.data_preprocessor(dict(inputs=list(images)))['inputs']
    try:
        maps = class_attention(model.network, inputs)
    except ValueError:  # no linear classifier on feature maps
        return None
    best = model.network(inputs, mode='tensor').argmax(1)
    return maps[torch.arange(len(maps)), best].float().cpu().numpy()


def nearest(features: np.ndarray) -> np.ndarray:
    """Return the places (N, M) of the nearest others, by the cosine of the features."""
    from sklearn.neighbors import NearestNeighbors  # takes a second

    count = min(NEIGHBOURS, len(features) - 1)
    finder = NearestNeighbors(n_neighbors=count, metric='cosine').fit(features)
    return finder.kneighbors(return_distance=False)
