"""From runs and recipes to the figures of :mod:`eac_mm.visualization`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine import Config
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

from eac_mm.datasets import NoisyLabels
from eac_mm.datasets.images import without_cache
from eac_mm.datasets.sample_table import numbering_data_set, read_paths
from eac_mm.datasets.wrappers import find
from eac_mm.utils.training_records import read_records
from eac_mm.visualization import (
    AttentionRow,
    draw_attention,
    draw_embedding,
    draw_losses,
    draw_pairs,
    embed,
    look_at,
)

from .launch import load_config
from .plain_images import as_tested, batches
from .trained_model import TrainedModel, load_model


def attention_figure(
    models: Mapping[str, str | Path],
    recipe: str | Path,
    indices: Sequence[int] | None = None,
    count: int = 6,
    options: Mapping | None = None,
) -> Figure:
    """Draw what networks look at in training images and in their flipped copies.

    Args:
        models: Checkpoint or work directory of each network, by the name to show.
        recipe: Whose training images are shown, without augmentation.
        indices: Which of them. Defaults to None: the first with a wrong label, or
            the first of all if none is wrong.
        count: How many, if ``indices`` is None. Defaults to 6.
        options: Overrides of the recipe.

    Raises:
        ValueError: If an index does not exist, a network has no attention maps or
            takes images of another size; and as :func:`~eac_mm.apis.load_model`.
    """
    cfg = load_config(recipe, options)
    data = as_tested(cfg)
    bgr = gives_bgr(cfg, data)
    networks = {name: load_model(source) for name, source in models.items()}
    rows = []
    for index in choose(data, indices, count):
        item = data[index]
        image = item['inputs'].permute(1, 2, 0).numpy()
        image = image[..., ::-1] if bgr else image
        noisy, clean = _labels(item, data)
        looks = {}
        for name, model in networks.items():
            check_size(model, item['inputs'])
            looks[name] = look_at(model.network, item['inputs'], model.classes)
        rows.append(AttentionRow(np.ascontiguousarray(image), noisy, clean, looks))
    return draw_attention(rows)


def embedding_figure(
    model: str | Path,
    recipe: str | Path,
    count: int = 1000,
    seed: int = 0,
    options: Mapping | None = None,
) -> Figure:
    """Draw the features of training images in the plane.

    Args:
        model: Checkpoint or work directory.
        recipe: Whose training images are shown, without augmentation.
        count: How many, drawn at random. Defaults to 1000.
        seed: Of the draw and of t-SNE. Defaults to 0.
        options: Overrides of the recipe.
    """
    data, network = as_tested(load_config(recipe, options)), load_model(model)
    draw = np.random.default_rng(seed)
    indices = draw.permutation(len(data))[:count]
    features, noisy, clean = [], [], []
    for items in batches(data, indices):
        images = torch.stack([item['inputs'] for item in items])
        features.append(features_of(network, images))
        samples = [item['data_samples'] for item in items]
        noisy += [sample.gt_label.item() for sample in samples]
        clean += [_number(sample.get('clean_label')) for sample in samples]
    known = np.array(clean) if None not in clean else None
    places = embed(np.concatenate(features), seed=seed)
    return draw_embedding(places, np.array(noisy), known, data.metainfo['classes'])


def losses_figure(
    runs: Mapping[str, str | Path], epochs: Sequence[int] | None = None
) -> Figure:
    """Draw the losses of clean and of wrong labels of recorded runs.

    Args:
        runs: Work directory of each run, by the name to show.
        epochs: From 1. Defaults to None: the first, the middle and the last one.
    """
    records = {name: read_records(folder) for name, folder in runs.items()}
    return draw_losses(records, epochs)


def pairs_figure(
    recipe: str | Path,
    indices: Sequence[int] | None = None,
    count: int = 4,
    epochs: Sequence[int] = (1, 2),
    options: Mapping | None = None,
) -> Figure:
    """Draw training images as a recipe's network gets them.

    Args:
        recipe: Whose training images are shown.
        indices: Which of them. Defaults to None: as in :func:`attention_figure`.
        count: How many, if ``indices`` is None. Defaults to 4.
        epochs: From 1. Defaults to the first two.
        options: Overrides of the recipe.
    """
    cfg = load_config(recipe, options)
    data = DATASETS.build(without_cache(cfg.train_dataloader.dataset))
    seed = (cfg.get('randomness') or {}).get('seed') or 0
    chosen = choose(data, indices, count)
    return draw_pairs(data, chosen, epochs, seed, gives_bgr(cfg, data))


def gives_bgr(cfg: Config, data: Dataset) -> bool:
    """Tell whether a recipe's images are blue, green, red.

    Files are loaded so. Images in memory, as CIFAR's, have the order that the network's
    preprocessor expects.
    """
    own = cfg.model.get('data_preprocessor') or {}
    to_rgb = {**cfg.get('data_preprocessor', {}), **own}.get('to_rgb', False)
    return to_rgb or file_paths(data) is not None


def file_paths(data: Dataset) -> np.ndarray | None:
    """Return the path of each training image, None if the images are not files."""
    paths = read_paths(numbering_data_set(data))
    return None if paths is None or not Path(paths[0]).is_file() else paths


def choose(data: Dataset, indices: Sequence[int] | None, count: int) -> list[int]:
    """Return the indices asked for, or the first with a wrong label.

    Raises:
        ValueError: If one of them does not exist.
    """
    if indices is not None:
        if outside := [i for i in indices if not 0 <= i < len(data)]:
            raise ValueError(
                f'there is no training image {outside[0]}. Fix: give 0 to '
                f'{len(data) - 1}.'
            )
        return list(indices)
    noisy = find(data, NoisyLabels)
    wrong = noisy[0].wrong_indices if len(noisy) == 1 else []
    return [int(i) for i in (wrong if len(wrong) else range(len(data)))][:count]


@torch.no_grad()
def features_of(model: TrainedModel, images: torch.Tensor) -> np.ndarray:
    """Return the pooled features, (N, C), of images uint8 (N, 3, H, W)."""
    check_size(model, images)
    inputs = model.network.data_preprocessor(dict(inputs=list(images)))['inputs']
    features = model.network.extract_feat(inputs)[-1].float()
    return (features.mean((2, 3)) if features.dim() == 4 else features).cpu().numpy()


def check_size(model: TrainedModel, images: torch.Tensor) -> None:
    """Check that images have the size that a network takes.

    Raises:
        ValueError: If they have another one.
    """
    if images.shape[-1] != model.size:
        raise ValueError(
            f'{model.path} takes images of {model.size} px, and the recipe gives '
            f'{images.shape[-1]}. Fix: name the recipe that the network was trained by.'
        )


def _labels(item: dict, data: Dataset) -> tuple[str, str | None]:
    sample, classes = item['data_samples'], data.metainfo['classes']
    clean = _number(sample.get('clean_label'))
    return classes[sample.gt_label.item()], None if clean is None else classes[clean]


def _number(label: object) -> int | None:
    return None if label is None else int(label)
