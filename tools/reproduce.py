"""Reproduce the tables of the paper: run what is missing, write what is finished.

python tools/reproduce.py --list
python tools/reproduce.py table1 --data ferplus --noise 30 --seeds 3
python tools/reproduce.py table3 --protocol small --seeds 3 --jobs 2

Finished runs are not repeated, interrupted ones are resumed, and tables share the runs
that they have in common. Name several tables in one command rather than run two
commands at the same time: those would train shared runs twice.

A table never replaces one with more results: run what is missing, or choose --out.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # takes seconds, and --help needs none of it
    from eac_mm.experiments import Entry, Page, PaperTables, Run

ROOT = Path(__file__).resolve().parents[1]
TRAIN = ROOT / 'tools' / 'train.py'
CONFIGS = ROOT / 'configs'
TABLES = CONFIGS / 'paper_tables.yml'
DEFAULTS = dict(file='', work_dir='work_dirs/reproduce', out='docs/results')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Reproduce the paper's tables.")
    add = parser.add_argument
    add('tables', nargs='*', help='table1 ... table6, lambda, or all')
    add('--list', action='store_true', help='show the tables and their runs')
    add(
        '--dry-run',
        action='store_true',
        help='show plan and cost, start nothing',
    )
    add('--report', action='store_true', help='write the tables of the finished runs')
    add('--protocol', default='full', help="full, the paper's, or small [full]")
    add('--data', nargs='+', default=[], help='these data sets only')
    add('--noise', nargs='+', type=int, default=[], help='these rates only, in percent')
    add('--methods', nargs='+', default=[], help='these methods only, such as eac')
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
    add('--work-dir', default=DEFAULTS['work_dir'], help='[%(default)s]')
    add('--out', default=DEFAULTS['out'], help='folder of the tables [%(default)s]')
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


def command_of(table: str, args: argparse.Namespace) -> str:
    """Return the command that reproduces one table of this call."""
    words = ['python', 'tools/reproduce.py', table, '--protocol', args.protocol]
    for name in ('data', 'noise', 'methods', 'rows'):
        values = getattr(args, name)
        words += [f'--{name}', *map(str, values)] if values else []
    words += ['--seeds', str(args.seeds)]
    for name, default in DEFAULTS.items():
        if getattr(args, name) != default:
            words += [f'--{name.replace("_", "-")}', getattr(args, name)]
    words += ['--amp'] if args.amp else []
    words += ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    return shlex.join(words)


def plan_pages(book: PaperTables, args: argparse.Namespace) -> list[Page]:
    """Plan the tables that were asked for, with their runs."""
    from eac_mm.experiments import Page, plan

    chosen = book.select(
        args.tables, args.protocol, args.data, args.noise, args.methods, args.rows
    )
    folder, options = Path(args.work_dir) / args.protocol, args.cfg_options
    return [
        Page(
            book,
            book.tables[name],
            plan(entries, CONFIGS, folder, args.seeds, options, args.amp),
            args.protocol,
            command_of(name, args),
            Path(args.out),
        )
        for name, entries in chosen.items()
    ]


def runs_of(pages: Sequence[Page]) -> dict[Run, Entry]:
    """Return the runs of all tables, each once and with an entry that needs it."""
    cells = [cell for page in pages for cell in page.cells]
    return {run: cell.entry for cell in cells for run in cell.runs}


def train(pages: Sequence[Page], runs: Sequence[Run], jobs: int) -> int:
    """Train what is missing, and return the number of failures.

    Raises:
        ValueError: If a table could not be written after all runs; nothing is
            started then.
    """
    from eac_mm.experiments import run_all

    for page in pages:
        page.check_plan()
    failures = run_all(runs, TRAIN, jobs)
    for run, error in failures:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = '\n  '.join(lines[-2:]) or repr(error)
        print(f'\nFAILED {run.work_dir} (log: {run.log})\n  {reason}')
    return len(failures)


def write(page: Page) -> int:
    """Write a table and print it; return 1 if one with more results is in its place."""
    from eac_mm.experiments import FewerResults

    try:
        print(f'\n{page.write()}')
    except FewerResults as error:
        print(f'\n{page.show()}\n\nNOT WRITTEN: {error}')
        return 1
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing and write the tables; return 1 if anything failed, else 0."""
    args = parse_args(argv)
    # Imported here: --help does not need it, and it takes seconds.
    from eac_mm.experiments import load_tables, shard_of, show_costs

    book = load_tables(args.file or TABLES)
    if args.list:
        print(book.listing(args.tables))
        return 0
    i, n = shard_of(args.shard, os.environ)
    pages = plan_pages(book, args)
    runs = runs_of(pages)
    for run in runs:
        if run.started():
            run.check_settings()
    ours = list(runs)[i - 1 :: n]
    if args.dry_run:
        folder = Path(args.work_dir) / args.protocol
        costs = {run: runs[run] for run in ours}
        print(show_costs(costs, book, args.protocol, folder))
        return 0
    failed = 0 if args.report else train(pages, ours, args.jobs)
    for page in pages:
        left = page.unfinished()
        if left and n > 1 and not args.report:
            print(
                f'\n{page.table.name} is not written by shard {i} of {n}: {len(left)} '
                f'of its runs are not finished, such as {left[0].work_dir}. When all '
                'shards are, run again without --shard, outside of an array:\n'
                f'{page.command}'
            )
        else:
            failed += write(page)
    return 1 if failed else 0


if __name__ == '__main__':
    raise SystemExit(main())
