"""Train several recipes with several seeds, and compare them in a table.

python tools/compare.py configs/baseline/resnet18_syntheticfer_noise30.py \\
    configs/eac/resnet18_syntheticfer_noise30.py --seeds 0 1 2 --jobs 2

Shows how far the runs are, then a table, and writes it with a picture of all epochs.
Finished runs are not repeated and interrupted ones are resumed. If a run fails, table
and picture show the others, and the exit status is 1. It is 2 if an argument is wrong.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

TRAIN = Path(__file__).with_name('train.py')
AGAIN = 'The same command goes on: finished runs stay, interrupted ones resume.'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Compare recipes over seeds.',
        epilog='example: eac-mm compare baseline/resnet18_syntheticfer_noise30 '
        'eac/resnet18_syntheticfer_noise30',
    )
    parser.add_argument('configs', nargs='+', help='recipes, one row each')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='[0]')
    parser.add_argument(
        '--work-dir',
        default='work_dirs/compare',
        help='runs go to FOLDER/RECIPE/seedK below it [%(default)s]',
    )
    parser.add_argument(
        '--jobs',
        type=int,
        default=1,
        help='trainings at a time; on CPUs they share the cores [1]',
    )
    parser.add_argument(
        '--out',
        help='file of the table, as Markdown; the picture lies beside it as .png '
        '[comparison.md in the --work-dir]',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='overrides for every run, as for tools/train.py; {seed} stands for its '
        'seed',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is missing, show table and picture; return the exit status."""
    args = parse_args(argv)
    # Imported here: --help does not need it, and it takes seconds.
    from eac_mm.experiments import (
        comparison_table,
        curves,
        outcome,
        plan_comparison,
        run_all,
    )
    from eac_mm.utils.signals import exit_on_signal

    folder = Path(args.work_dir)
    runs = plan_comparison(args.configs, args.seeds, folder, args.cfg_options)
    # Seed by seed, so that early results compare all recipes.
    in_order = [run for of_seed in zip(*runs.values(), strict=True) for run in of_seed]
    with exit_on_signal(lambda: AGAIN):
        failures = run_all(in_order, TRAIN, args.jobs)
    text = comparison_table(runs)
    print(f'\nAll figures but the minutes in percent.\n\n{text}')
    out = Path(args.out or folder / 'comparison.md')
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text + '\n', encoding='utf-8')
    print(f'\nTable: {out}')
    if picture := curves(runs):
        out.with_suffix('.png').write_bytes(picture)
        print(f'Picture: {out.with_suffix(".png")}')
    for run, error in failures:
        print(f'\n{outcome(error).upper()} {run.work_dir} (log: {run.log})\n{error}')
    return 1 if failures else 0


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
