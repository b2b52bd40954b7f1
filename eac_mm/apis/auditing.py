"""From a recorded run, or predictions over folds, to a label audit on disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

from eac_mm.audit import (
    LabelAudit,
    audit_labels,
    build_report,
    data_sets,
    read_evidence,
    survey_split,
    write_audit,
    write_corrected,
)
from eac_mm.audit.corrected import NOISE_FILE
from eac_mm.datasets.fingerprint import fingerprint
from eac_mm.datasets.images import without_cache
from eac_mm.datasets.sample_table import numbering_data_set, read_labels
from eac_mm.utils.fold_predictions import FoldPredictions

from .image_columns import summarise_duplicates, with_image_columns
from .launch import load_config
from .retraining import write_recipes
from .reviewing import review_page


class AuditedRun(NamedTuple):
    """An audit, and the files that were written."""

    audit: LabelAudit
    files: list[Path]


def audit_run(
    run: str | Path,
    out: str | Path | None = None,
    score: str | None = None,
    config: str | Path | None = None,
    options: Mapping | None = None,
    survey: bool = True,
    page: bool = True,
    suspects: int | None = None,
) -> AuditedRun:
    """Audit labels by a recorded run or by folds, and write all that was found.

    Args:
        run: Work directory of a run with
            :class:`~eac_mm.engine.hooks.TrainingRecorderHook`, or the ``.npz`` file of
            :func:`~eac_mm.apis.cross_fit`.
        out: Where the files go. Defaults to the folder ``audit`` of the run, or
            ``<name>_audit`` beside the file.
        score: Name of the score that ranks. Defaults to the best by measurement; see
            :func:`~eac_mm.audit.audit_labels`.
        config: The recipe. Defaults to that in the run's folder; a file needs one.
        options: Overrides of the recipe, such as where the data are now.
        survey: Whether to read all images, for what ``tools/check_dataset.py`` finds,
            near-duplicates and outliers. Defaults to True.
        page: Whether to write the review page, ``report.html``. Defaults to True.
        suspects: How many of the top-ranked labels are corrected, or left out by
            ``removed.py``. Defaults to None: as many as are estimated to be wrong.

    Raises:
        FileNotFoundError: If the run was not recorded, or there is no recipe or data.
        ValueError: If the data set has other labels than the run was trained on, and
            for an unknown score.
        ImportError: If cleanlab is not installed.
    """
    records = read_evidence(run)
    audit = audit_labels(records, score)
    if suspects is not None:
        audit = audit.with_suspects(suspects)
    folds = isinstance(records, FoldPredictions)
    if folds and config is None:
        raise ValueError(
            f'{run} does not hold the recipe. Fix: name it by --config (config= in '
            'Python), with the --cfg-options of tools/cross_fit.py.'
        )
    cfg = load_config(config or find_config(run), options)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    dataset = training_data(cfg)
    same = np.array_equal(read_labels(dataset)['noisy_labels'], records.noisy_labels)
    if not same or folds and fingerprint(dataset) != records.fingerprint:
        raise ValueError(
            f'{run} was trained on {len(records.noisy_labels)} labels or images that '
            f'are not those of the data set now ({len(dataset)}). Fix: name the recipe '
            'of the run (--config), or give the data as they were (--cfg-options).'
        )
    if out is None:
        out = Path(run).with_suffix('') if folds else Path(run, 'audit')
        out = out.with_name(f'{out.name}_audit') if folds else out
    found = dict(run=str(run))
    if survey:
        found['dataset'] = survey_training(cfg)
        audit = with_image_columns(audit, run, cfg)
        found['near_duplicates'] = summarise_duplicates(audit)
    files = write_audit(audit, out, found)
    files += write_corrected(dataset, audit.corrected_labels(), out)
    chosen = np.flatnonzero(audit.table.suspect)
    files += write_recipes(cfg, dataset, chosen, out / NOISE_FILE, out)
    if page:
        files.append(review_page(run, audit, records, cfg, out))
    return AuditedRun(audit, files)


def find_config(run: str | Path) -> Path:
    """Return the recipe in a run's folder, as MMEngine has written it.

    Raises:
        FileNotFoundError: If there is none, or more than one.
    """
    found = [p for p in Path(run).glob('*.py') if not p.stem.endswith('_test')]
    if len(found) != 1:
        raise FileNotFoundError(
            f'{run} holds {len(found)} recipes (*.py), and one is needed. Fix: name it '
            'by --config (config= in Python).'
        )
    return found[0]


def training_data(cfg: Config) -> Dataset:
    """Build the data set that numbers the training samples, without its cache."""
    dataset = without_cache(cfg.train_dataloader.dataset)
    return numbering_data_set(DATASETS.build(dataset))


def survey_training(cfg: Config) -> dict:
    """Return what ``tools/check_dataset.py`` reports of the training images."""
    splits = data_sets(cfg)
    name = next(name for name in splits if name.startswith('training'))
    report, _ = build_report(cfg.filename, [survey_split(name, splits[name])])
    return report['splits'][name]
