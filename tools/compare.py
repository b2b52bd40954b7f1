"""Train several recipes with several seeds, and put them side by side.

python tools/compare.py configs/baseline/resnet18_syntheticfer_noise30.py \\
    configs/eac/resnet18_syntheticfer_noise30.py --seeds 0 1 2 --jobs 2

Finished runs are not repeated and interrupted ones go on.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from eac_mm.experiments import Run, markdown_table, run_all, spread

TRAIN = Path(__file__).with_name('train.py')
COLUMNS = {
    'accuracy, mean of the last epochs': lambda r: r['last_mean'].get('accuracy/top1'),
    'best epoch': lambda r: (r['best_epoch'] or {}).get('accuracy/top1'),
    'memorised': lambda r: r['last_mean'].get('noise/memorised'),
    'corrected': lambda r: r['last_mean'].get('noise/corrected'),
    'minutes': lambda r: r['seconds'] / 60,
}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Compare recipes over seeds.')
    parser.add_argument('configs', nargs='+', help='recipes, one row each')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0], help='[0]')
    parser.add_argument('--work-dir', default='work_dirs', help='[work_dirs]')
    parser.add_argument(
        '--jobs',
        type=int,
        default=1,
        help='trainings at a time; on CPUs they share the cores [1]',
    )
    parser.add_argument('--out', help='write the table here too, as Markdown')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='overrides for every run, as for tools/train.py',
    )
    return parser.parse_args(argv)


def table(results: dict[str, list[dict]]) -> str:
    """A Markdown table, one row a recipe: mean +- standard deviation."""
    rows = []
    for name, runs in results.items():
        cells = [spread([read(r) for r in runs]) for read in COLUMNS.values()]
        seeds = ' '.join(str(r['seed']) for r in runs)
        rows.append([name, seeds, *cells])
    return markdown_table(['recipe', 'seeds', *COLUMNS], rows)


def main(argv: Sequence[str] | None = None) -> str:
    """Run what is missing, print the table and return it."""
    args = parse_args(argv)
    runs: dict[str, list[Run]] = {}
    in_order = []
    for seed in args.seeds:
        for config in args.configs:
            name = f'{Path(config).parent.name}/{Path(config).stem}'
            work_dir = Path(args.work_dir) / name / f'seed{seed}'
            run = Run(config, seed, work_dir, tuple(args.cfg_options))
            runs.setdefault(name, []).append(run)
            in_order.append(run)
    for _, error in run_all(in_order, TRAIN, args.jobs):
        raise error
    results = {
        name: [run.result() for run in of_name] for name, of_name in runs.items()
    }
    text = table(results)
    print(f'\nAll figures but the minutes in percent.\n\n{text}')
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(text + '\n', encoding='utf-8')
    return text


if __name__ == '__main__':
    main()
