"""Reproduce the tables of the paper: run what is missing, write what is finished.

python tools/reproduce.py --list
python tools/reproduce.py table1 --data ferplus --noise 30 --seeds 3
python tools/reproduce.py table3 --protocol small --seeds 3 --jobs 2
python tools/reproduce.py --report

The result of each finished run is kept as a file below docs/results/runs, to be
committed. Tables are made from these files alone, so that they grow over machines and
days. A run that has one is not trained again; interrupted runs are resumed, and tables
share the runs that they have in common. --data, --noise, --methods, --rows and --seeds
choose what to train; a table always shows all of its rows and seeds.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # takes seconds, and --help needs none of it
    from eac_mm.experiments import Cell, Page, PaperTables, Plan, Run

ROOT = Path(__file__).resolve().parents[1]
TRAIN = ROOT / 'tools' / 'train.py'
CONFIGS = ROOT / 'configs'
TABLES = CONFIGS / 'paper_tables.yml'
DEFAULTS = dict(file='', out='docs/results')

ABOUT = "Reproduce the paper's tables."
AGAIN = 'The same command goes on: finished runs stay, interrupted ones resume.'
EXAMPLE = 'example: eac-mm reproduce table3 --protocol small --seeds 3 --dry-run'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=ABOUT, epilog=EXAMPLE)
    add = parser.add_argument
    add('tables', nargs='*', help='such as table1, or all; see --list')
    add('--list', action='store_true', help='show the tables and their runs')
    add(
        '--dry-run',
        action='store_true',
        help='show plan, cost and what is missing (status 1), start nothing',
    )
    add(
        '--report',
        action='store_true',
        help='train nothing: keep the results of finished runs, and write the tables '
        '[all, of all protocols]',
    )
    add('--protocol', help="full, the paper's, or another of --list [full]")
    add('--data', nargs='+', default=[], help='these data sets only')
    add('--noise', nargs='+', type=int, default=[], help='these rates only, in percent')
    add('--methods', nargs='+', default=[], help='such as eac scn [all]')
    add('--rows', nargs='+', default=[], help='these rows only, by their beginning')
    add('--seeds', type=int, default=1, help='train with seeds 0 to this - 1 [1]')
    add(
        '--jobs', type=int, default=1, help='trainings at a time, sharing the cores [1]'
    )
    add(
        '--shard',
        metavar='I/N',
        help='train every N-th run only, from the I-th [the place in a Slurm array]',
    )
    add(
        '--work-dir',
        default='work_dirs/reproduce',
        help='folder of the trainings [%(default)s]',
    )
    add(
        '--out',
        default=DEFAULTS['out'],
        help='folder of tables and results [%(default)s]',
    )
    add('--file', default='', help='tables to reproduce [configs/paper_tables.yml]')
    add('--amp', action='store_true', help='bfloat16, as for tools/train.py')
    add(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='overrides for every run, as for tools/train.py',
    )
    return parser.parse_args(argv)


def command_of(table: str, protocol: str, cells: list[Cell], args) -> str:
    """Return the command that reproduces a table, with the options that all runs had.

    Those that differ, such as first weights by row, stand in the runs' files.
    """
    pairs = [(cell.entry, run) for cell in cells for run in cell.runs]
    extras = [
        run.options[: len(run.options) - len(entry.options)] for entry, run in pairs
    ]
    options = [word for word in extras[0] if all(word in extra for extra in extras)]
    words = ['python', 'tools/reproduce.py', table, '--protocol', protocol]
    words += ['--seeds', str(1 + max(run.seed for _, run in pairs))]
    for name, default in DEFAULTS.items():
        if getattr(args, name) != default:
            words += [f'--{name}', getattr(args, name)]
    words += ['--amp'] if any(run.amp for _, run in pairs) else []
    words += ['--cfg-options', *options] if options else []
    return shlex.join(words)


def plan_for(protocol: str, args: argparse.Namespace) -> Plan:
    """Return where the runs of a protocol are trained and their results kept."""
    from eac_mm.experiments import Plan

    return Plan(
        CONFIGS,
        Path(args.work_dir, protocol),
        Path(args.out, 'runs', protocol),
        tuple(args.cfg_options),
        args.amp,
    )


def wanted_cells(book: PaperTables, args: argparse.Namespace) -> dict[str, list[Cell]]:
    """Return the runs that were asked for, by table."""
    protocol = args.protocol or 'full'
    chosen = book.select(
        args.tables, protocol, args.data, args.noise, args.methods, args.rows
    )
    plan = plan_for(protocol, args)
    return {name: plan.wanted(of, args.seeds) for name, of in chosen.items()}


def show_plan(
    wanted: dict[str, list[Cell]],
    ours: Collection[Run],
    book: PaperTables,
    args: argparse.Namespace,
) -> int:
    """Print our runs, their costs, and what they lack; return how much that is."""
    from eac_mm.experiments import show_costs

    protocol = args.protocol or 'full'
    finished = plan_for(protocol, args).finished(book.entries(protocol))
    mine = set(ours)
    shares = {
        table: [replace(c, runs=[run for run in c.runs if run in mine]) for c in cells]
        for table, cells in wanted.items()
    }
    print(show_costs(shares, finished, book.data))
    return show_what_is_missing(ours, args)


def show_what_is_missing(runs: Collection[Run], args: argparse.Namespace) -> int:
    """Print what the runs that are left lack, or that none is left; return how much."""
    from eac_mm.experiments import missing_inputs

    left = [run for run in runs if run.result() is None]
    if runs and not left:
        print(
            f'\nAll these runs are finished (results in {args.out} or '
            f'{args.work_dir}), and nothing is trained. To train them yourself, give '
            'other folders: --out again --work-dir again/trainings'
        )
    missing = missing_inputs(left)
    for text in missing:
        print(f'\nMISSING {text}')
    return len(missing)


def finished_pages(
    book: PaperTables, args: argparse.Namespace, wanted: dict[str, list[Cell]]
) -> list[Page]:
    """Return the tables that were named, if any of their runs is finished.

    Args:
        book: All tables.
        args: The command line.
        wanted: What is to be trained for each table, and must go with what there is.

    Raises:
        ValueError: If one of the results is of other settings than its recipe has
            today, or the options differ.
    """
    from eac_mm.experiments import Page, refuse_mixed_settings, refuse_outdated

    protocol = args.protocol if args.report else args.protocol or 'full'
    found = [
        (table, of, plan_for(of, args).finished(table.entries[of]))
        for table, of in book.pages(args.tables or ['all'], protocol)
    ]
    every = [cells for *_, cells in found] + list(wanted.values())
    refuse_outdated(run for cells in every for cell in cells for run in cell.runs)
    pages = []
    for table, of, cells in found:
        refuse_mixed_settings([*cells, *wanted.get(table.name, [])])
        if any(cell.runs for cell in cells):
            command = command_of(table.name, of, cells, args)
            pages.append(Page(book, table, cells, of, command, Path(args.out)))
    return pages


def refuse_filters(args: argparse.Namespace) -> None:
    """Refuse to report a part of a table.

    Raises:
        ValueError: If the command chooses runs.
    """
    names = ('data', 'noise', 'methods', 'rows', 'shard')
    given = [f'--{name}' for name in names if getattr(args, name)]
    if given:
        raise ValueError(
            f'--report with {" ".join(given)}: a table always has all of its rows. '
            'Fix: leave them out.'
        )


def train(runs: Sequence[Run], jobs: int) -> int:
    """Train what is missing, and return the number of failures."""
    from eac_mm.experiments import outcome, run_all
    from eac_mm.utils.signals import exit_on_signal

    with exit_on_signal(lambda: AGAIN):
        failures = run_all(runs, TRAIN, jobs)
    for run, error in failures:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = '\n  '.join(lines[-2:]) or repr(error)
        print(f'\n{outcome(error).upper()} {run.work_dir} (log: {run.log})\n  {reason}')
    return len(failures)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing and write the tables; return 1 if a run failed, else 0."""
    args = parse_args(argv)
    # Imported here: --help does not need it, and it takes seconds.
    from eac_mm.experiments import load_tables, shard_of

    book = load_tables(args.file or TABLES)
    if args.list:
        print(book.listing(args.tables))
        return 0
    failed, wanted = 0, {}
    if args.report:
        refuse_filters(args)
    else:
        i, n = shard_of(args.shard, os.environ)
        wanted = wanted_cells(book, args)
        cells = [cell for of_table in wanted.values() for cell in of_table]
        runs = dict.fromkeys(run for cell in cells for run in cell.runs)
        finished_pages(book, args, wanted)  # what cannot stand together, before all
        ours = list(runs)[i - 1 :: n]
        if args.dry_run:
            return min(1, show_plan(wanted, ours, book, args))
        if show_what_is_missing(ours, args):
            print('\nThe runs that need it will fail, and the others are trained.\n')
        failed = train(ours, args.jobs)
    pages = finished_pages(book, args, wanted)
    for page in pages:
        print(f'\n{page.write()}')
    if not pages:
        print('No run is finished: no table is written.')
    return 1 if failed else 0


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
