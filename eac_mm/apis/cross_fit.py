"""Let networks predict the samples that they were not trained on."""

import copy
from pathlib import Path

import numpy as np
import torch
from mmengine import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpretrain.datasets import KFoldDataset
from mmpretrain.registry import DATASETS
from torch import nn

from eac_mm.datasets import NoisyLabels
from eac_mm.datasets.fingerprint import fingerprint
from eac_mm.datasets.noise.files import NoiseManifest, write_noise_file
from eac_mm.datasets.sample_table import read_labels, read_paths
from eac_mm.models.passes import passes_of
from eac_mm.utils.fold_predictions import write_fold_predictions

from .plain_images import plain_images
from .training import train


def cross_fit(
    cfg: Config, out: str | Path, folds: int = 3, seed: int = 0
) -> NoiseManifest:
    """Predict the label of each training sample by a network that did not see it.

    The training data is cut into folds at random. For each of them a network is trained
    on the others, as the recipe has it, without validation, and labels the fold's
    images, without augmentation. So nothing has memorised the noisy labels of what it
    labels. The trainings go to folders in ``cfg.work_dir``; called again after an
    interruption, it goes on with them.

    The file is a noise file: its manifest compares the predictions with the clean
    labels, which no training saw, and names the noisy labels that were trained on.
    :class:`~eac_mm.datasets.AnnotatedLabels` reads it. The probabilities go to a file
    of the same name that ends in ``.npz``, which
    :func:`~eac_mm.apis.audit_run` ranks the noisy labels by.

    Args:
        cfg: Config from :func:`~eac_mm.apis.load_config`, with :class:`NoisyLabels`
            as training data. It is not changed. One process runs it.
        out: The noise file to write.
        folds: Number of folds, 2 or more. Defaults to 3.
        seed: Seed of the folds. Defaults to 0.

    Returns:
        The manifest of the file.

    Raises:
        ValueError: If there are fewer than two folds, the training data is no
            NoisyLabels, or ``out`` ends in ``.npz``.
    """
    _check(out, folds)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    whole = DATASETS.build(plain_images(cfg))
    if not isinstance(whole, NoisyLabels):
        raise ValueError(
            f'the training data is {type(whole).__name__}, and the samples of '
            "NoisyLabels are labelled. Fix: dict(type='NoisyLabels', dataset=...), "
            'and no cache around it.'
        )
    found = np.full((len(whole), len(whole.CLASSES)), np.nan)
    for fold in range(folds):
        one = copy.deepcopy(cfg)
        one.work_dir = str(Path(cfg.work_dir, f'fold{fold + 1}of{folds}'))
        part = dict(type='KFoldDataset', fold=fold, num_splits=folds, seed=seed)
        one.train_dataloader.dataset = dict(part, dataset=cfg.train_dataloader.dataset)
        one.val_cfg = one.val_dataloader = one.val_evaluator = None
        held_out = DATASETS.build(dict(part, dataset=plain_images(cfg), test_mode=True))
        model = train(one, resume_from='auto')
        found[held_out._ori_indices] = predict(model, held_out, cfg)
    epochs = cfg.train_cfg.get('max_epochs')
    # Each image is trained on by all networks but one, which predicts it.
    passes = epochs and (folds - 1) * epochs * passes_of(model) + 1
    write_fold_predictions(
        fold_file(out),
        dict(read_labels(whole), paths=read_paths(whole)),
        found,
        folds,
        passes,
        fingerprint(whole),
    )
    labels = found.argmax(1)
    manifest = NoiseManifest.describe(
        whole.clean_labels,
        labels,
        whole.CLASSES,
        kind='predicted',
        rate=0,
        seed=seed,
        fitted=whole.given_labels,
    )
    names = [whole.name_of(i) for i in range(len(whole))]
    write_noise_file(out, manifest, labels, names)
    return manifest


def _check(out: str | Path, folds: int) -> None:
    if fold_file(out) == Path(out):
        raise ValueError(
            f'{out} is where the probabilities would go. Fix: name the file of labels, '
            'ending in .txt.'
        )
    if folds < 2:
        raise ValueError(
            f'folds={folds}: a network labels what it was not trained on. Fix: 2 or '
            'more.'
        )


def fold_file(out: str | Path) -> Path:
    """Return the file of probabilities beside a file of labels."""
    return Path(out).with_suffix('.npz')


def predict(model: nn.Module, dataset: KFoldDataset, cfg: Config) -> np.ndarray:
    """Return the probabilities that a model predicts for each sample, (N, classes).

    Args:
        model: The model, without the wrapper of several processes.
        dataset: The samples.
        cfg: Its validation loader says how to load them.
    """
    loader = Runner.build_dataloader(dict(cfg.val_dataloader, dataset=dataset))
    model.eval()
    found = []
    with torch.no_grad():
        for batch in loader:
            samples = model.test_step(batch)
            found += [sample.pred_score.float().cpu().numpy() for sample in samples]
    return np.stack(found)
