"""What runs cost, before they are made."""

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median

from mmengine import Config

from .runs import Run
from .tables import Entry


def image_passes(cfg: Config, images: int) -> int:
    """How often a training takes an image through the network, forth and back.

    Args:
        cfg: The training's config.
        images: Training images of the whole data set; a config that takes a part
            of it, or that makes its own, says how many itself.
    """
    dataset = cfg.train_dataloader.dataset
    dataset = dataset.get('dataset', dataset)
    part = dataset.get('indices') or dataset.get('size')
    if part is not None:
        images = part if isinstance(part, int) else len(part)
    return cfg.train_cfg.max_epochs * images * views(cfg)


def views(cfg: Config) -> int:
    """How many views of an image pass through the network."""
    if cfg.model.get('type') != 'EACClassifier':
        return 1
    head = cfg.model.head
    both = head.get('consistency_weight', 5) or not head.get('imbalanced', True)
    return 2 if both else 1


def seconds_a_pass(folder: Path, data: dict[str, dict]) -> dict[str, list[float]]:
    """What the finished runs in a protocol's folder took, by recipe.

    Args:
        folder: It holds ``<method>/<recipe>/.../seed<k>``.
        data: Data sets, each with its number of training ``images``.
    """
    measured: dict[str, list[float]] = {}
    for path in sorted(folder.glob('*/*/**/result.json')):
        result = json.loads(path.read_text())
        settings = path.with_name('settings.py')
        if not (result['finished'] and settings.is_file()):
            continue
        recipe = '/'.join(path.relative_to(folder).parts[:2])
        images = data.get(recipe.split('_')[1], {}).get('images', 0)
        passes = image_passes(Config.fromfile(settings), images)
        if passes:
            measured.setdefault(recipe, []).append(result['seconds'] / passes)
    return measured


def estimate(
    recipe: str, passes: int, measured: dict[str, list[float]]
) -> float | None:
    """Seconds a run will take, or None where nothing has been measured.

    By the runs of the same recipe, else of the same network and data, else by
    all, which is a rough guess.
    """

    def network_and_data(name: str) -> str:
        return name.split('/')[-1].rsplit('_', 1)[0]

    alike: list[Callable[[str], bool]] = [
        lambda other: other == recipe,
        lambda other: network_and_data(other) == network_and_data(recipe),
        lambda other: True,
    ]
    for is_alike in alike:
        found = [
            s for other, values in measured.items() if is_alike(other) for s in values
        ]
        if found:
            return passes * median(found)
    return None


def duration(seconds: float | None) -> str:
    """A time for people, such as ``about 3.2 h``."""
    if seconds is None:
        return 'unknown until a run has finished'
    if seconds < 7200:
        return f'about {seconds / 60:.0f} min'
    return f'about {seconds / 3600:.1f} h'


def show_costs(runs: dict[Run, Entry], folder: Path, data: dict[str, dict]) -> str:
    """A line for each run with what it costs, and the sum of what is to do.

    Args:
        runs: Each with the entry that asks for it.
        folder: Folder of the protocol's runs.
        data: Data sets, each with its number of training ``images``.
    """
    measured = seconds_a_pass(folder, data)
    passes = {
        entry: image_passes(run.settings(), data[entry.data]['images'])
        for run, entry in runs.items()
    }
    lines, todo, times = [], [], []
    for run, entry in runs.items():
        seconds = estimate(entry.recipe, passes[entry], measured)
        finished = run.result() is not None
        state = 'finished' if finished else duration(seconds)
        lines.append(f'{run.work_dir}: {passes[entry]:,} image passes, {state}')
        if not finished:
            todo.append(passes[entry])
            times.append(seconds)
    time = None if None in times else sum(times)
    return '\n'.join(lines) + (
        f'\n\n{len(runs)} runs: {len(runs) - len(todo)} finished, {len(todo)} to do, '
        f'{sum(todo):,} image passes; one after another {duration(time)}'
    )
