"""Estimate what runs cost before they start."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from mmengine import Config
from mmpretrain.registry import MODELS

from eac_mm.models.passes import passes_of
from eac_mm.utils import hardware

from .plans import Cell
from .tables import Entry
from .times import about

UNKNOWN = 'unknown until a run has finished on this machine'

# Passes for each model config that was asked for; building a model takes a moment.
_PASSES: dict[str, float] = {}


class Speed(NamedTuple):
    """How fast a finished run was.

    Attributes:
        recipe: Its recipe, as the tables name it.
        network: Its backbone and data set.
        seconds: Seconds for an image to pass forward and backward.
    """

    recipe: str
    network: tuple[str, str]
    seconds: float


def passes_per_image(model: Config | dict) -> float:
    """Return how often a training step passes an image through a backbone.

    Args:
        model: Config of the model.
    """
    key = repr(model)
    if key not in _PASSES:
        _PASSES[key] = passes_of(MODELS.build(model))
    return _PASSES[key]


def image_passes(cfg: Config, images: int) -> int:
    """Return how often a training passes an image forward and backward.

    Args:
        cfg: The training's config.
        images: Number of training images of the whole data set. A config that takes
            a part of it (``indices``) or generates its own (``size``) overrides it.
    """
    dataset = cfg.train_dataloader.dataset
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    part, size = dataset.get('indices'), dataset.get('size')
    if isinstance(part, int):  # the first ones; a negative number: the last ones
        images = min(abs(part), images)
    elif part is not None:
        images = len(part)
    elif size is not None:
        images = size
    return round(cfg.train_cfg.max_epochs * images * passes_per_image(cfg.model))


def network_of(cfg: Config, entry: Entry) -> tuple[str, str]:
    """Return what decides the time of a pass: the backbone and the data set."""
    return repr(cfg.model.get('backbone')), entry.data


def measured_speeds(cells: Iterable[Cell], data: dict[str, dict]) -> list[Speed]:
    """Return the speeds of the runs that were trained on this machine.

    Args:
        cells: Cells with finished runs.
        data: Data sets, each with its number of training ``images``.
    """
    speeds = []
    for cell in {cell.entry.folder: cell for cell in cells}.values():
        for run in cell.runs:
            result, entry = run.result(), cell.entry
            machines = {part['machine'] for part in result.get('sessions') or ()}
            if machines == {hardware.describe()}:
                cfg = run.settings()
                passes = image_passes(cfg, data[entry.data]['images'])
                seconds = result['seconds'] / passes
                speeds.append(Speed(entry.recipe, network_of(cfg, entry), seconds))
    return speeds


def estimate(
    recipe: str, network: tuple[str, str], passes: int, speeds: Sequence[Speed]
) -> float | None:
    """Estimate the seconds of a run, None if nothing was measured.

    The estimate is by the runs of the same recipe, else of the same network, else by
    all runs, which is a rough guess.

    Args:
        recipe: Its recipe.
        network: From :func:`network_of`.
        passes: From :func:`image_passes`.
        speeds: From :func:`measured_speeds`.
    """
    alike: list[Callable[[Speed], bool]] = [
        lambda speed: speed.recipe == recipe,
        lambda speed: speed.network == network,
        lambda speed: True,
    ]
    for is_alike in alike:
        found = [speed.seconds for speed in speeds if is_alike(speed)]
        if found:
            return passes * median(found)
    return None


def show_costs(
    wanted: Mapping[str, Iterable[Cell]],
    cells: Iterable[Cell],
    data: dict[str, dict],
) -> str:
    """Return a table of the runs with their costs, and the sum of what is to do.

    A cell has a line for each state of its seeds: finished, to do, or shared with a
    cell above, where it is counted.

    Args:
        wanted: Cells with their runs, by table.
        cells: Cells with finished runs, of any tables: they are measurements.
        data: Data sets, each with its number of training ``images``.
    """
    speeds = measured_speeds(cells, data)
    lines, counted, passes_to_do, times_to_do = [], {}, 0, []
    for table, cell in ((name, cell) for name, of in wanted.items() for cell in of):
        entry, seeds = cell.entry, defaultdict(list)
        for run in cell.runs:
            cfg = run.settings()
            passes = image_passes(cfg, data[entry.data]['images'])
            if run in counted:
                state = f'shared with {counted[run]}'
            elif run.result() is not None:
                state = 'finished'
            else:
                network = network_of(cfg, entry)
                time = estimate(entry.recipe, network, passes, speeds)
                state = _time(time)
                passes_to_do += passes
                times_to_do.append(time)
            counted.setdefault(run, f'{entry.row} of {table}')
            seeds[f'{passes:,}', state].append(run.seed)
        for (passes, state), of in seeds.items():
            every = ' '.join(map(str, of))
            lines.append((table, entry.column, entry.row, every, passes, state))
    head = ('table', 'column', 'row', 'seeds', 'image passes a run', 'time a run')
    done = len(counted) - len(times_to_do)
    runs = 'run' if len(counted) == 1 else 'runs'
    text = f'{_aligned([head, *lines])}\n\n{len(counted)} {runs}: {done} finished'
    if times_to_do:
        time = UNKNOWN if None in times_to_do else _time(sum(times_to_do))
        text += (
            f', {len(times_to_do)} to do, {passes_to_do:,} image passes. '
            f'Time one after another: {time}'
        )
    return f'{text}.'


def _time(seconds: float | None) -> str:
    return 'unknown' if seconds is None else about(seconds)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return '\n'.join(line.rstrip() for line in lines)
