"""Plan the runs that a table needs, and share them among processes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .records import differences, read_result, settings_of
from .runs import Run
from .tables import Entry


@dataclass(frozen=True)
class Cell:
    """A cell of a table and its runs, one for each seed."""

    entry: Entry
    runs: list[Run]

    def changes(self, run: Run) -> list[str]:
        """List the settings that the command line of a run changed, if they matter."""
        if run.options == self.entry.options and not run.amp:
            return []
        plain = replace(run, options=self.entry.options, amp=False)
        both = (settings_of(one.settings()) for one in (plain, run))
        return differences(*both)


@dataclass(frozen=True)
class Plan:
    """Which runs belong to the entries of one protocol; equal entries share theirs.

    Args:
        configs: Folder of the recipes.
        work_dir: Folder of the trainings.
        records: Folder of the results.
        options: Overrides for every run; an entry's own come after them.
        amp: Run in bfloat16.
    """

    configs: Path
    work_dir: Path
    records: Path
    options: tuple[str, ...] = ()
    amp: bool = False

    def run(self, entry: Entry, seed: int) -> Run:
        """Return the run of an entry with a seed."""
        return Run(
            config=str(self.configs / f'{entry.recipe}.py'),
            seed=seed,
            work_dir=self.work_dir / entry.folder / f'seed{seed}',
            options=(*self.options, *entry.options),
            amp=self.amp,
            record=self.records / entry.folder / f'seed{seed}.json',
        )

    def wanted(self, entries: Iterable[Entry], seeds: int) -> list[Cell]:
        """Return the cells with runs of the seeds 0 to ``seeds`` - 1.

        Raises:
            ValueError: For fewer than one seed.
        """
        if seeds < 1:
            raise ValueError(
                f'--seeds {seeds}: not a number of runs. Fix: give 1 or more.'
            )
        return [Cell(e, [self.run(e, s) for s in range(seeds)]) for e in entries]

    def finished(self, entries: Iterable[Entry]) -> list[Cell]:
        """Return the cells with the runs that are finished, whatever their seeds.

        A run that has a record has the options of its record, not those of the plan.
        """
        return [
            Cell(
                entry,
                [
                    run
                    for seed in self._seeds(entry)
                    if (run := self._as_recorded(entry, seed)).result() is not None
                ],
            )
            for entry in entries
        ]

    def _as_recorded(self, entry: Entry, seed: int) -> Run:
        run = self.run(entry, seed)
        record = read_result(run.record)
        if record is None:
            return run
        return replace(run, options=tuple(record['options']), amp=record['amp'])

    def _seeds(self, entry: Entry) -> list[int]:
        recorded = (self.records / entry.folder).glob('seed*.json')
        trained = (self.work_dir / entry.folder).glob('seed*/result.json')
        names = {path.stem for path in recorded} | {
            path.parent.name for path in trained
        }
        numbers = {name.removeprefix('seed') for name in names}
        return sorted(int(number) for number in numbers if number.isdecimal())


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


def refuse_mixed_settings(cells: Iterable[Cell]) -> None:
    """Refuse runs of one table whose command lines changed different settings.

    Rows may start from different weights, as those of Table 2 do.

    Raises:
        ValueError: With two runs that differ, and how.
    """
    known: dict[Entry | None, tuple[Run, list[str]]] = {}
    for cell in cells:
        for run in cell.runs:
            changes = cell.changes(run)
            shared = [line for line in changes if not line.startswith('start: ')]
            for place, lines in ((None, shared), (cell.entry, changes)):
                other, others = known.setdefault(place, (run, lines))
                if others != lines:
                    raise ValueError(
                        f'{other.record} and {run.record} cannot stand in one table. '
                        'Their command lines changed (recipe -> run)\n  '
                        f'{"; ".join(others) or "nothing"}\nand\n  '
                        f'{"; ".join(lines) or "nothing"}\nFix: give both the same '
                        '--cfg-options and --amp, or one of them another --out.'
                    )
