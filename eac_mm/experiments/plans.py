"""Which runs a table needs, and which of them are ours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .runs import Run
from .tables import Entry


@dataclass(frozen=True)
class Cell:
    """A cell of a table and its runs, one a seed."""

    entry: Entry
    runs: list[Run]


def plan(
    entries: Iterable[Entry],
    configs: Path,
    folder: Path,
    seeds: int,
    options: Sequence[str] = (),
    amp: bool = False,
) -> list[Cell]:
    """The runs of some entries; entries that are alike have the same runs.

    Args:
        entries: Cells of a table.
        configs: Folder of the recipes.
        folder: Folder for the runs of one protocol.
        seeds: The training seeds are 0 to this - 1.
        options: Overrides for every run; an entry's own come after them.
        amp: Run in bfloat16.

    Raises:
        ValueError: For fewer than one seed.
    """
    if seeds < 1:
        raise ValueError(f'--seeds {seeds}: give their number, 1 or more.')
    return [
        Cell(
            entry,
            [
                Run(
                    config=str(configs / f'{entry.recipe}.py'),
                    seed=seed,
                    work_dir=folder / entry.folder / f'seed{seed}',
                    options=(*options, *entry.options),
                    amp=amp,
                )
                for seed in range(seeds)
            ],
        )
        for entry in entries
    ]


def shard_of(given: str | None, environment: Mapping[str, str]) -> tuple[int, int]:
    """Which share of the runs is ours, and of how many; (1, 1) is all of them.

    Args:
        given: ``'2/4'`` for the second of four, or None for all, or for the place
            in a Slurm array that begins at 1.
        environment: It says where we are in a Slurm array.

    Raises:
        ValueError: Where that is no share, or in a part of a Slurm array: Slurm
            does not say of how many tasks the first submission had.
    """
    if given is not None:
        i, _, n = given.partition('/')
    elif 'SLURM_ARRAY_TASK_ID' in environment:
        i, n = (environment.get(f'SLURM_ARRAY_TASK_{k}', '') for k in ('ID', 'COUNT'))
        ends = [environment.get(f'SLURM_ARRAY_TASK_{k}') for k in ('MIN', 'MAX')]
        if ends != ['1', n] or n == '1':
            raise ValueError(
                'this Slurm array does not count from 1 without gaps, or is one task '
                'of an earlier one, and does not say how many shares there are. Mend: '
                '--shard $SLURM_ARRAY_TASK_ID/N, with N the tasks of the whole array.'
            )
        given = f'{i}/{n}, from the Slurm array'
    else:
        return 1, 1
    if not (i.isdecimal() and n.isdecimal() and 1 <= int(i) <= int(n)):
        raise ValueError(f'--shard {given}: give I/N with I from 1 to N, such as 2/4.')
    return int(i), int(n)
