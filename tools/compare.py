"""Train several recipes with several seeds, and put them side by side.

python tools/compare.py configs/baseline/resnet18_syntheticfer_noise30.py \\
    configs/eac/resnet18_syntheticfer_noise30.py --seeds 0 1 2

Finished runs are not repeated and interrupted ones go on.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
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
    parser.add_argument('--out', help='write the table here too, as Markdown')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='overrides for every run, as for tools/train.py',
    )
    return parser.parse_args(argv)


def run(config: str, seed: int, work_dir: Path, options: list[str]) -> dict:
    """Train unless that is done, and return what ``result.json`` says.

    Raises:
        ValueError: Where the folder holds a run of other settings.
        RuntimeError: Where the training fails; its log's end is in the message.
    """
    parsed = argparse.Namespace(options=None)
    if options:
        DictAction(['--cfg-options'], 'options', nargs='+')(None, parsed, options)
    settings = load_config(config, parsed.options, str(work_dir), seed)
    check_settings(settings, work_dir)
    result = work_dir / 'result.json'
    if not result.is_file() or not json.loads(result.read_text())['finished']:
        command = [sys.executable, str(TRAIN), config, '--resume']
        command += ['--work-dir', str(work_dir), '--seed', str(seed)]
        command += ['--cfg-options', *options] if options else []
        train(command, work_dir / 'train.log')
    return json.loads(result.read_text())


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


def train(command: list[str], log: Path) -> None:
    """Run a training, showing its progress; everything it says goes to ``log``."""
    print(f'$ {" ".join(command)}\n  (log: {log})', flush=True)
    with (
        log.open('a', encoding='utf-8') as file,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        for line in process.stdout:
            file.write(line)
            if 'Epoch(' in line or 'training labels are wrong' in line:
                print(' ', line.split(' - ')[-1].rstrip(), flush=True)
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
    results: dict[str, list[dict]] = {}
    for seed in args.seeds:
        for config in args.configs:
            name = f'{Path(config).parent.name}/{Path(config).stem}'
            work_dir = Path(args.work_dir) / name / f'seed{seed}'
            outcome = run(config, seed, work_dir, args.cfg_options)
            results.setdefault(name, []).append(outcome)
    text = table(results)
    print(f'\nAll figures but the minutes in percent.\n\n{text}')
    if args.out:
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(text + '\n', encoding='utf-8')
    return text


if __name__ == '__main__':
    main()
