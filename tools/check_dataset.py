"""Read all images of a recipe and report the unreadable and the repeated ones.

python tools/check_dataset.py configs/eac/resnet18_rafdb_noise30.py

The exit status is 0 if nothing was found, 1 otherwise, and 2 if it could not start.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # these take seconds, and --help needs none
    from mmengine import Config

    from eac_mm.audit.survey import Survey


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Read all images of a recipe and report the unreadable and the '
        'repeated ones.',
        epilog='example: python tools/check_dataset.py eac/resnet18_rafdb_noise30',
    )
    parser.add_argument('config', help='the recipe, such as configs/eac/....py')
    parser.add_argument(
        '--workers', type=int, help='reading threads [number of CPUs, at most 16]'
    )
    parser.add_argument(
        '--out', type=Path, metavar='REPORT.json', help='write the full report here too'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help='overrides, such as val_dataloader.dataset.data_root=/data/rafdb',
    )
    args = parser.parse_args(argv)
    if args.workers is not None and args.workers < 1:
        parser.error(f'--workers {args.workers}: give 1 or more')
    return args


class Progress:
    """Show a progress bar on standard error, redrawn about a hundred times."""

    def __init__(self, split: str) -> None:
        self.split = split
        self.done = 0

    def start(self, total: int) -> None:
        """Draw the empty bar."""
        from mmengine import ProgressBar

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


def survey_all(cfg: Config, workers: int | None) -> list[Survey]:
    """Survey the images of all data sets of a recipe."""
    from mmengine.registry import init_default_scope

    from eac_mm.audit import data_sets, survey_split

    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    surveys = []
    for split, config in data_sets(cfg).items():
        bar = Progress(split)
        surveys.append(survey_split(split, config, workers, bar.start, bar.step))
    return surveys


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print the report and return the status: 0 if nothing was found, else 1."""
    args = parse_args(argv)
    # Imported here: --help needs none of it, and it takes seconds.
    from eac_mm.apis import load_config
    from eac_mm.audit import build_report

    cfg = load_config(args.config, options=args.cfg_options)
    report, text = build_report(args.config, survey_all(cfg, args.workers))
    # A path may hold characters that the terminal's encoding lacks.
    print(text.encode(errors='backslashreplace').decode())
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
    return 0 if report['clean'] else 1


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
