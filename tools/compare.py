"""Train several recipes with several seeds, and put them side by side.

python tools/compare.py configs/baseline/resnet18_syntheticfer_noise30.py \\
    configs/eac/resnet18_syntheticfer_noise30.py --seeds 0 1 2 --jobs 2

Finished runs are not repeated and interrupted ones go on.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import fmean, stdev

from mmengine import Config
from mmengine.config import DictAction

from eac_mm.apis import load_config

TRAIN = Path(__file__).with_name('train.py')
COLUMNS = {
    'accuracy, mean of the last epochs': lambda r: r['last_mean']['accuracy/top1'],
    'best epoch': lambda r: r['best_epoch']['accuracy/top1'],
    'memorised': lambda r: r['last_mean'].get('noise/memorised'),
    'seen through': lambda r: r['last_mean'].get('noise/seen_through'),
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


def plan(
    config: str, seed: int, work_dir: Path, options: list[str]
) -> list[str] | None:
    """The command that trains, or None where ``result.json`` says that it is done.

    Raises:
        ValueError: Where the folder holds a run of other settings.
    """
    parsed = argparse.Namespace(options=None)
    if options:
        DictAction(['--cfg-options'], 'options', nargs='+')(None, parsed, options)
    check_settings(load_config(config, parsed.options, str(work_dir), seed), work_dir)
    result = work_dir / 'result.json'
    if result.is_file() and json.loads(result.read_text())['finished']:
        return None
    command = [sys.executable, str(TRAIN), config, '--resume']
    command += ['--work-dir', str(work_dir), '--seed', str(seed)]
    return command + (['--cfg-options', *options] if options else [])


def check_settings(settings: Config, work_dir: Path) -> None:
    """Write the settings of a new run; refuse to go on with other ones."""
    path = work_dir / 'settings.py'
    if path.is_file() and path.read_text() != settings.pretty_text:
        raise ValueError(
            f'{work_dir} holds a run of other settings than {settings.filename} has '
            f'now (compare {path}). Mend: delete the folder, or choose another '
            '--work-dir.'
        )
    work_dir.mkdir(parents=True, exist_ok=True)
    path.write_text(settings.pretty_text)


def train(command: list[str], log: Path, threads: int | None = None) -> None:
    """Run a training, showing its progress; everything it says goes to ``log``.

    Raises:
        RuntimeError: Where it fails, with the end of its log.
    """
    print(f'$ {" ".join(command)}\n  (log: {log})', flush=True)
    environment = dict(os.environ)
    if threads is not None:
        environment.setdefault('OMP_NUM_THREADS', str(threads))
    name = '/'.join(log.parts[-4:-2])
    with (
        log.open('a', encoding='utf-8') as file,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        ) as process,
    ):
        for line in process.stdout:
            file.write(line)
            if 'Epoch(' in line or 'training labels are wrong' in line:
                print(f'{name}  {line.split(" - ")[-1].rstrip()}', flush=True)
    if process.returncode:
        tail = '\n'.join(log.read_text(encoding='utf-8').splitlines()[-30:])
        raise RuntimeError(f'{tail}\n\nthe training ended with {process.returncode}')


def table(results: dict[str, list[dict]]) -> str:
    """A Markdown table, one row a recipe: mean +- standard deviation."""
    lines = [
        f'| recipe | seeds | {" | ".join(COLUMNS)} |',
        '| --- ' * (len(COLUMNS) + 2) + '|',
    ]
    for name, runs in results.items():
        cells = [spread([read(r) for r in runs]) for read in COLUMNS.values()]
        seeds = ' '.join(str(r['seed']) for r in runs)
        lines.append(f'| {name} | {seeds} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def spread(values: list[float | None]) -> str:
    """Mean of the seeds, with the sample standard deviation from two on."""
    if None in values:
        return '-'
    text = f'{fmean(values):.2f}'
    return f'{text} ± {stdev(values):.2f}' if len(values) > 1 else text


def main(argv: Sequence[str] | None = None) -> str:
    """Run what is missing, print the table and return it."""
    args = parse_args(argv)
    if args.jobs < 1:
        raise ValueError(f'--jobs {args.jobs}: give 1 or more.')
    # Several trainings that each take every core slow each other to a crawl.
    threads = max(1, (os.cpu_count() or 1) // args.jobs) if args.jobs > 1 else None
    folders: dict[str, list[Path]] = {}
    commands: list[tuple[list[str], Path]] = []
    for seed in args.seeds:
        for config in args.configs:
            name = f'{Path(config).parent.name}/{Path(config).stem}'
            work_dir = Path(args.work_dir) / name / f'seed{seed}'
            folders.setdefault(name, []).append(work_dir)
            command = plan(config, seed, work_dir, args.cfg_options)
            if command is not None:
                commands.append((command, work_dir / 'train.log'))
    with ThreadPoolExecutor(args.jobs) as pool:
        trainings = [pool.submit(train, *command, threads) for command in commands]
        for training in trainings:
            training.result()
    results = {
        name: [json.loads((folder / 'result.json').read_text()) for folder in runs]
        for name, runs in folders.items()
    }
    text = table(results)
    print(f'\nAll figures but the minutes in percent.\n\n{text}')
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(text + '\n', encoding='utf-8')
    return text


if __name__ == '__main__':
    main()
