"""Read all images of a recipe and report what is wrong with them.

python tools/check_dataset.py configs/eac/resnet18_rafdb_noise30.py

The status is 0 if nothing was found and 1 otherwise.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mmengine import Config, ProgressBar
from mmengine.config import DictAction
from mmengine.registry import init_default_scope
from mmpretrain.registry import DATASETS

from eac_mm.apis import load_config
from eac_mm.audit.survey import Group, Survey, identical_files, listed_twice, survey
from eac_mm.datasets.faces.base import FaceDataset, loader_of
from eac_mm.datasets.images import LoadFace

SPLITS = {
    'training': 'train_dataloader',
    'validation': 'val_dataloader',
    'test': 'test_dataloader',
}
NOISE = ('NoisyLabels', 'mmpretrain.NoisyLabels')
SHOWN = 20


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Read all images of a recipe and report what is wrong with them.'
    )
    parser.add_argument('config', help='the recipe, such as configs/eac/....py')
    parser.add_argument(
        '--workers', type=int, help='threads that read [the CPUs, at most 16]'
    )
    parser.add_argument(
        '--out', type=Path, metavar='REPORT.json', help='write all of it here too'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='overrides, such as val_dataloader.dataset.data_root=/data/rafdb',
    )
    args = parser.parse_args(argv)
    if args.workers is not None and args.workers < 1:
        parser.error(f'--workers {args.workers}: give 1 or more')
    return args


def data_sets(cfg: Config) -> dict[str, dict]:
    """Configs of the recipe's data sets by split, without label noise.

    Splits of the same data (many recipes test on what they validate on) are
    one: ``'validation, test'``.

    Raises:
        ValueError: Where the recipe has none.
    """
    found: list[tuple[list[str], dict, dict]] = []
    for split, name in SPLITS.items():
        dataset = (cfg.get(name) or {}).get('dataset')
        if dataset is None:
            continue
        while dataset.type in NOISE:
            dataset = dataset.dataset
        dataset = dataset.to_dict()
        # How the images are used does not matter here.
        data = {
            key: value
            for key, value in dataset.items()
            if key not in ('pipeline', 'test_mode', 'on_bad_image', 'lazy_init')
        }
        same = next((names for names, known, _ in found if known == data), None)
        if same is None:
            for key in ('on_bad_image', 'lazy_init'):
                dataset.pop(key, None)
            found.append(([split], data, dataset))
        else:
            same.append(split)
    if not found:
        raise ValueError(
            f'{cfg.filename} has no data set: give a recipe with a train_dataloader, '
            'val_dataloader or test_dataloader.'
        )
    return {', '.join(names): dataset for names, _, dataset in found}


class Progress:
    """A progress bar on standard error, drawn about a hundred times."""

    def __init__(self, split: str) -> None:
        self.split = split
        self.done = 0

    def start(self, total: int) -> None:
        """Draw it empty."""
        self.total = total
        print(f'{self.split}: reading {total:,} images', file=sys.stderr)
        self.bar = ProgressBar(total, bar_width=30, file=sys.stderr)

    def step(self) -> None:
        """Count an image."""
        self.done += 1
        behind = self.done - self.bar.completed
        if behind * 100 >= self.total or self.done == self.total:
            self.bar.update(behind)
        if self.done == self.total:
            print(file=sys.stderr)


def check(split: str, config: dict, workers: int | None) -> Survey:
    """Load a data set and read its images; a failed load is a finding."""
    try:
        dataset = DATASETS.build(config)
        loader = loader_of(dataset) if isinstance(dataset, FaceDataset) else LoadFace()
        progress = Progress(split)
        return survey(dataset, split, loader, workers, progress.start, progress.step)
    except (OSError, ValueError) as error:
        return Survey(split, error=str(error))


def listing(title: str, lines: list[str], problem: bool = True) -> list[str]:
    """A heading with its count, and the first lines below it."""
    if not lines:
        return []
    shown = [f'    {line}' for line in lines[:SHOWN]]
    if len(lines) > SHOWN:
        shown.append(f'    ... and {len(lines) - SHOWN:,} more (--out has all)')
    return [f'  {"! " if problem else ""}{title}: {len(lines):,}', *shown]


def describe(group: Group) -> str:
    """A group of entries in one line."""
    labels = ', '.join(f'{n} {label}' for label, n in Counter(group.labels).items())
    warning = '  THE LABELS DISAGREE' if group.disagrees else ''
    splits = ', '.join(dict.fromkeys(group.splits))
    return f'{" = ".join(group.paths)}  ({splits}: {labels}){warning}'


def describe_split(found: Survey, twice: list[Group], same: list[Group]) -> list[str]:
    """What was found in a split, in lines."""
    if found.error:
        return ['  ! it cannot be loaded:', f'    {found.error}']
    lines = [f'  samples: {len(found.labels):,}']
    if found.in_memory:
        lines.append('  kept in memory: there is no file to read')
    else:
        lines.append(f'  image files: {len(found.facts):,}')
    width = max(map(len, found.classes))
    lines += [f'    {name:{width}}  {n:>9,}' for name, n in found.classes.items()]
    if found.sizes:
        for word, facts in zip(('smallest', 'largest'), found.sizes, strict=True):
            w, h = facts.size
            lines.append(f'  {word}: {w} x {h} pixels ({facts.path})')
    if found.kinds:
        kinds = ', '.join(f'{n:,} {kind}' for kind, n in found.kinds.items())
        lines.append(f'  converted when loaded: {kinds}')
    bad = [f'{facts.path}: {facts.fault}' for facts in found.unreadable]
    return [
        *lines,
        *listing('classes without a sample', found.empty_classes),
        *listing('images that cannot be read', bad),
        *listing('images listed more than once', [describe(g) for g in twice]),
        *listing('images that are copies of each other', [describe(g) for g in same]),
    ]


def build_report(config: str, surveys: list[Survey]) -> tuple[dict, str]:
    """Put everything together, as JSON and as a text.

    Returns:
        The report, whose ``clean`` tells whether nothing was found, and its text.
    """
    report = {'config': config, 'clean': True, 'splits': {}}
    lines = []
    for found in surveys:
        twice, same = listed_twice([found]), identical_files([found])
        lines += [found.split, *describe_split(found, twice, same), '']
        report['splits'][found.split] = {
            'error': found.error,
            'samples': len(found.labels),
            'files': len(found.facts),
            'in_memory': found.in_memory,
            'classes': found.classes,
            'empty_classes': found.empty_classes,
            'kinds': found.kinds,
            'sizes': [facts.size for facts in found.sizes or ()],
            'unreadable': {facts.path: facts.fault for facts in found.unreadable},
            'listed_twice': [asdict(g) for g in twice],
            'identical': [asdict(g) for g in same],
        }
    twice, same = (
        [g for g in find(surveys) if len(set(g.splits)) > 1]
        for find in (listed_twice, identical_files)
    )
    report['shared'] = {
        'listed_twice': [asdict(g) for g in twice],
        'identical': [asdict(g) for g in same],
    }
    leaks = [
        *listing('files in more than one split', [describe(g) for g in twice]),
        *listing('copies in more than one split', [describe(g) for g in same]),
    ]
    if leaks:
        lines += ['between the splits', *leaks, '']
    problems = sum(line.startswith('  ! ') for line in lines)
    report['clean'] = not problems
    lines.append(f'Findings, marked !: {problems}' if problems else 'No problem found.')
    return report, '\n'.join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print the report and return the status: 0 if clean, else 1."""
    args = parse_args(argv)
    cfg = load_config(args.config, options=args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    surveys = [
        check(split, config, args.workers) for split, config in data_sets(cfg).items()
    ]
    report, text = build_report(args.config, surveys)
    # A path may hold what no encoding has.
    print(text.encode(errors='backslashreplace').decode())
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
    return 0 if report['clean'] else 1


if __name__ == '__main__':
    sys.exit(main())
