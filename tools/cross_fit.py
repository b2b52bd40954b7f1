"""Write a file of labels that networks give to the training samples they did not see.

python tools/cross_fit.py configs/baseline/resnet18_rafdb_noise30.py annotator.txt

AnnotatedLabels reads it: the annotator beside the noisy label that LTNet learns from.
The probabilities go to annotator.npz, which tools/audit_labels.py reads.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes seconds, and --help needs none
    from eac_mm.datasets.noise.files import NoiseManifest

AGAIN = 'The same command goes on: finished folds stay, an interrupted one resumes.'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Train a network on all folds of the training data but one, for '
        'each fold, let it predict that fold, and write all labels to a file, and all '
        'probabilities to one that ends in .npz, for eac-mm audit.',
        epilog='example: eac-mm cross-fit baseline/resnet18_rafdb_noise30 '
        'annotator.txt',
    )
    parser.add_argument('config', help='the recipe, such as configs/baseline/....py')
    parser.add_argument('out', type=Path, help='the file to write')
    parser.add_argument(
        '--folds', type=int, default=3, help='number of folds [%(default)s]'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the folds [%(default)s]'
    )
    parser.add_argument(
        '--work-dir', help='for the trainings [work_dirs/cross_fit/NAME OF OUT]'
    )
    parser.add_argument('--force', action='store_true', help='replace an existing file')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help='overrides, such as train_dataloader.dataset.rate=0.2',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> NoiseManifest:
    """Train, label, write the file, and return its manifest.

    Raises:
        FileExistsError: If the file exists and ``--force`` is not given.
    """
    args = parse_args(argv)
    both = (args.out, args.out.with_suffix('.npz'))
    present = [path for path in both if path.exists()]
    if present and not args.force:
        raise FileExistsError(
            f'{present[0]} exists; runs may depend on it. Fix: choose another name, or '
            'replace it with --force.'
        )
    import torch  # these take seconds

    from eac_mm.apis import cross_fit, load_config
    from eac_mm.utils.hardware import keep_freed_memory
    from eac_mm.utils.signals import exit_on_signal

    work_dir = args.work_dir or str(Path('work_dirs', 'cross_fit', args.out.stem))
    cfg = load_config(args.config, options=args.cfg_options, work_dir=work_dir)
    if not torch.cuda.is_available():
        keep_freed_memory()
    with exit_on_signal(lambda: AGAIN):
        manifest = cross_fit(cfg, args.out, args.folds, args.seed)
    print(
        f'\n{args.out}: {sum(manifest.clean_counts):,} labels, predicted over '
        f'{args.folds} folds\n{100 * manifest.measured_rate:.2f} % differ from the '
        'clean labels, which no training saw\n'
        f'{both[1]}: their probabilities. To rank the labels by them: eac-mm audit '
        f'{both[1]} --config {args.config}'
    )
    return manifest


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
