"""Say which data and weights of planned runs are not there."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mmengine import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS

from eac_mm.weights import DLIB_FACE, find_dlib_face

from .runs import Run

LOADERS = ('train_dataloader', 'val_dataloader')
# What helps if a file is not there.
PATH = 'correct the path, or make the file.'
TEACHER = 'train the teacher first; configs/ktn/README.md has the command.'
ANNOTATOR = 'make it by tools/cross_fit.py; configs/ltnet/README.md has the command.'


def missing_inputs(runs: Iterable[Run]) -> list[str]:
    """Look for data and weights of runs, as their training would.

    The lists of each data set are read once, its images are not.

    Args:
        runs: Runs that are to be trained.

    Returns:
        What is missing or wrong, each once, with the fix.
    """
    faults: dict[str, None] = {}
    seen: set[str] = set()
    # Runs that differ in seed and method read the same data.
    for run in {(run.config, run.options): run for run in runs}.values():
        cfg = run.settings()
        init_default_scope(cfg.get('default_scope', 'mmpretrain'))
        for part, fix in _parts(cfg):
            if (key := repr(part)) not in seen:
                seen.add(key)
                faults.update(dict.fromkeys(_fault(part, fix)))
    return list(faults)


def _parts(cfg: Config) -> Iterator[tuple[Any, str]]:
    """Visit weights, files of labels and data sets in files, each with what helps."""
    yield cfg.get('load_from'), PATH
    yield (cfg.get('model') or {}).get('teacher_weights'), TEACHER
    nodes = [(cfg.get(name) or {}).get('dataset') for name in LOADERS]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            inner = [node.get('dataset'), *(node.get('datasets') or ())]
            inner = [part for part in inner if part is not None]
            nodes += inner
            if node.get('noise_file'):
                yield str(node['noise_file']), PATH
            for file in node.get('annotators') or ():
                yield str(file), ANNOTATOR
            if node.get('data_root') and not inner:
                yield {**node, 'pipeline': []}, PATH


def _fault(part: Any, fix: str) -> Iterator[str]:
    if part is None or (isinstance(part, str) and '://' in part):
        return
    try:
        if isinstance(part, dict):
            DATASETS.build(part)
        elif part == DLIB_FACE:
            find_dlib_face()
        elif not Path(part).expanduser().is_file():
            yield f'{part} does not exist (seen from {Path.cwd()}). Fix: {fix}'
    except (OSError, ValueError, RuntimeError, AssertionError) as error:
        yield str(error)
