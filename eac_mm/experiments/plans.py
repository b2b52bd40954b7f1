"""Plan the runs that a table needs, and share them among processes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .runs import Run
from .tables import Entry


@dataclass(frozen=True)
class Cell:
    """A cell of a table and its runs, one for each seed."""

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
    """Plan the runs of some entries; equal entries have the same runs.

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
        raise ValueError(f'--seeds {seeds}: not a number of runs. Fix: give 1 or more.')
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
    """Return the share of the runs to train here, and the number of shares.

    Args:
        given: ``'2/4'`` for the second of four. None takes the place in a Slurm
            array that begins at 1, or all runs, (1, 1), outside of an array.
        environment: Environment variables, among them those of a Slurm array.

    Raises:
        ValueError: If that is not a share, or in a part of a Slurm array: Slurm does
            not tell how many tasks the whole array had.
    """
    if given is not None:
        i, _, n = given.partition('/')
    elif 'SLURM_ARRAY_TASK_ID' in environment:
        i, n = (environment.get(f'SLURM_ARRAY_TASK_{k}', '') for k in ('ID', 'COUNT'))
        ends = [environment.get(f'SLURM_ARRAY_TASK_{k}') for k in ('MIN', 'MAX')]
        if ends != ['1', n] or n == '1':
            raise ValueError(
                'this Slurm array does not count from 1 without gaps, or is one task '
                'of an earlier one, so the number of shares is unknown. Fix: '
                '--shard $SLURM_ARRAY_TASK_ID/N, with N the tasks of the whole array.'
            )
        given = f'{i}/{n}, from the Slurm array'
    else:
        return 1, 1
    if not (i.isdecimal() and n.isdecimal() and 1 <= int(i) <= int(n)):
        raise ValueError(
            f'--shard {given}: not a share. Fix: give I/N, I from 1 to N, such as 2/4.'
        )
    return int(i), int(n)
