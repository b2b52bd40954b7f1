"""Find and survey the data sets of a recipe."""

from collections.abc import Callable

from mmengine import Config
from mmpretrain.registry import DATASETS

from eac_mm.datasets.faces.base import FaceDataset, loader_of
from eac_mm.datasets.images import LoadFace

from .survey import Survey, survey

SPLITS = {
    'training': 'train_dataloader',
    'validation': 'val_dataloader',
    'test': 'test_dataloader',
}
# Settings of how images are used; they do not say which images there are.
USE = ('pipeline', 'test_mode', 'on_bad_image', 'lazy_init')


def data_sets(cfg: Config) -> dict[str, dict]:
    """Return the configs of a recipe's data sets by split, without their wrappers.

    Wrappers repeat, select or relabel samples: label noise, repetition, caches. The
    files are those of the data set inside. Splits of the same data are one, named
    ``'validation, test'``: many recipes test on what they validate on.

    Args:
        cfg: The recipe.

    Raises:
        ValueError: If the recipe has no data set.
    """
    found: list[tuple[list[str], dict, dict]] = []
    for split, name in SPLITS.items():
        dataset = (cfg.get(name) or {}).get('dataset')
        if dataset is None:
            continue
        while 'dataset' in dataset:
            dataset = dataset['dataset']
        config = {**dataset.to_dict()}
        data = {key: value for key, value in config.items() if key not in USE}
        same = next((names for names, known, _ in found if known == data), None)
        if same is not None:
            same.append(split)
            continue
        # A bad image is a finding here, whatever the training does with it.
        for key in ('on_bad_image', 'lazy_init'):
            config.pop(key, None)
        found.append(([split], data, config))
    if not found:
        raise ValueError(
            f'{cfg.filename} has no data set. Fix: give a recipe with a '
            f'{", ".join(SPLITS.values())} or several of them.'
        )
    return {', '.join(names): config for names, _, config in found}


def survey_split(
    split: str,
    config: dict,
    workers: int | None = None,
    on_start: Callable[[int], None] = lambda total: None,
    on_image: Callable[[], None] = lambda: None,
) -> Survey:
    """Load a data set and survey its images; a failed load is a finding.

    Args:
        split: Name of the split.
        config: Config of the data set, as from :func:`data_sets`.
        workers: Number of threads. Defaults to the number of CPUs, at most 16.
        on_start: Called with the number of images to read.
        on_image: Called after each of them.
    """
    try:
        dataset = DATASETS.build(config)
        loader = loader_of(dataset) if isinstance(dataset, FaceDataset) else LoadFace()
        return survey(dataset, split, loader, workers, on_start, on_image)
    except (OSError, ValueError) as error:
        return Survey(split, error=str(error))
