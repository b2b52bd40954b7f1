"""Make the tables of the paper again: run what is missing, write what is there.

python tools/reproduce.py --list
python tools/reproduce.py table1 --data ferplus --noise 30 --seeds 3
python tools/reproduce.py table3 --protocol small --seeds 3 --jobs 2

Finished runs are not repeated, interrupted ones go on, and tables share the runs
that they have in common. Name several tables in one command rather than start two
commands beside each other: those would train shared runs twice.
"""

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from eac_mm.experiments import PaperTables, load_tables, plan, run_all, shard_of
from eac_mm.experiments.cost import show_costs
from eac_mm.experiments.page import write_page

ROOT = Path(__file__).resolve().parents[1]
TRAIN = ROOT / 'tools' / 'train.py'
CONFIGS = ROOT / 'configs'
TABLES = CONFIGS / 'paper_tables.yml'
DEFAULTS = dict(file='', work_dir='work_dirs/reproduce', out='docs/results')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Make the paper's tables again.")
    add = parser.add_argument
    add('tables', nargs='*', help='table1 ... table6, lambda, or all')
    add('--list', action='store_true', help='show the tables and their runs')
    add('--dry-run', action='store_true', help='show plan and cost, start nothing')
    add('--report', action='store_true', help='write tables of what is finished')
    add('--protocol', default='full', help="full, the paper's, or small [full]")
    add('--data', nargs='+', default=[], help='these data sets only')
    add('--noise', nargs='+', type=int, default=[], help='these rates only, in percent')
    add('--methods', nargs='+', default=[], help='these methods only, such as eac')
    add('--rows', nargs='+', default=[], help='these rows only, by how they begin')
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
    add('--file', default='', help='tables to make [configs/paper_tables.yml]')
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
    """The command that makes one table of this call."""
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


def show_tables(book: PaperTables, names: Sequence[str]) -> None:
    """Print each table with its cells."""
    for table in book.tables.values():
        if names and table.name not in names and 'all' not in names:
            continue
        print(f'\n{table.name}: {table.title}')
        for protocol, entries in table.entries.items():
            for e in entries:
                paper = '/'.join(f'{figure:.2f}' for figure in e.paper) or '-'
                line = [protocol, e.column, e.row, e.recipe, *e.options]
                print('  ' + ' | '.join([*line, f'paper {paper}']))


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, and write the tables; 1 where a run failed, else 0."""
    args = parse_args(argv)
    book = load_tables(args.file or TABLES)
    if args.list:
        show_tables(book, args.tables)
        return 0
    i, n = shard_of(args.shard, os.environ)
    folder = Path(args.work_dir) / args.protocol
    chosen = book.select(
        args.tables, args.protocol, args.data, args.noise, args.methods, args.rows
    )
    plans = {
        name: plan(entries, CONFIGS, folder, args.seeds, args.cfg_options, args.amp)
        for name, entries in chosen.items()
    }
    # A dictionary, for tables share runs.
    runs = {
        run: cell.entry
        for cells in plans.values()
        for cell in cells
        for run in cell.runs
    }
    for run in runs:
        if run.started():
            run.check_settings()
    ours = list(runs)[i - 1 :: n]
    if args.dry_run:
        print(show_costs({run: runs[run] for run in ours}, folder, book.data))
        return 0
    failures = [] if args.report else run_all(ours, TRAIN, args.jobs)
    for name, cells in plans.items():
        left = [run for cell in cells for run in cell.runs if not run.result()]
        command = command_of(name, args)
        if left and n > 1 and not args.report:
            print(
                f'\n{name} is not written by shard {i} of {n}: {len(left)} of its runs '
                f'are not finished, {left[0].work_dir} among them. When all shards '
                f'are, run again without --shard, outside of an array:\n{command}'
            )
        else:
            out = Path(args.out)
            text = write_page(
                book, book.tables[name], cells, args.protocol, command, out
            )
            print(f'\n{text}')
    for run, error in failures:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = '\n  '.join(lines[-2:]) or repr(error)
        print(f'\nFAILED {run.work_dir} (log: {run.log})\n  {reason}')
    return 1 if failures else 0


if __name__ == '__main__':
    raise SystemExit(main())
