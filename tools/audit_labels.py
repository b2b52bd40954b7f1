"""Rank the labels of a recorded run by how suspect they are, and correct them.

python tools/audit_labels.py configs/eac/resnet18_syntheticfer_noise30.py
python tools/audit_labels.py work_dirs/eac/resnet18_syntheticfer_noise30

A recipe is trained and recorded first, as far as it is not yet. The .npz file of
tools/cross_fit.py, with --config, takes the place of a recorded run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes a while, and --help needs none
    import pandas as pd

RECORDER = 'default_hooks.recorder.type'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Rank the labels of a recorded run by how suspect they are, and '
        'write tables, corrected labels and a review page.',
        epilog='example: eac-mm audit eac/resnet18_syntheticfer_noise30',
    )
    parser.add_argument(
        'run',
        help='work directory of a recorded run, the .npz file of cross-fit, or a '
        'recipe, which is trained and recorded first',
    )
    parser.add_argument(
        '--out', type=Path, help='where files go [RUN/audit; FILE_audit]'
    )
    parser.add_argument('--score', help='ranks the labels [the best by measurement]')
    parser.add_argument('--config', help='the recipe [that in RUN]; a FILE needs it')
    parser.add_argument(
        '--suspects',
        type=int,
        metavar='N',
        help='top-ranked labels to correct or to leave out [as many as are estimated]',
    )
    parser.add_argument(
        '--no-survey', action='store_true', help='do not read the images'
    )
    parser.add_argument('--no-page', action='store_true', help='write no review page')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        default=[],
        help='overrides, such as train_dataloader.dataset.dataset.data_root=/data/mine',
    )
    return parser.parse_args(argv)


def describe_duplicates(table: pd.DataFrame) -> str:
    """Say how many images are near-duplicates, and of different labels."""
    alike, disagree = table.duplicates > 0, table.duplicates_disagree
    return (
        f'near-duplicates: {alike.sum():,} images, {disagree.sum():,} of them with '
        'different labels (duplicates_disagree)'
    )


def recorded_run(run: str, options: dict) -> str:
    """Return a run or file as it is; train a recipe, and return its work directory.

    The training is recorded. If it was interrupted it is resumed, and if it is finished
    nothing is trained.
    """
    from eac_mm.apis import load_config, train
    from eac_mm.utils.shipped import find_recipe
    from eac_mm.utils.signals import exit_on_signal

    path = Path(run)
    if path.is_dir() or path.suffix == '.npz' or find_recipe(path) is None:
        return run
    cfg = load_config(run, {**options, RECORDER: 'TrainingRecorderHook'})
    with exit_on_signal(lambda: 'The same command goes on.'):
        train(cfg, resume_from='auto')
    return cfg.work_dir


def main(argv: Sequence[str] | None = None) -> None:
    """Audit, write the files and print a summary."""
    args = parse_args(argv)
    # Imported here: --help needs none of it, and it takes seconds.
    from eac_mm.apis import audit_run
    from eac_mm.utils.options import parse_options

    options = dict(parse_options(args.cfg_options))
    run = recorded_run(args.run, options)
    print(f'reading the records and images of {run} ...', flush=True)
    audit, files = audit_run(
        run,
        args.out,
        args.score,
        args.config,
        options,
        not args.no_survey,
        not args.no_page,
        args.suspects,
    )
    summary = audit.summary()
    print(
        f'\n{summary["samples"]:,} labels, ranked by {audit.score}\n'
        f'wrong by estimation: {audit.wrong:,} '
        f'({100 * summary["estimated_share"]:.1f} %); a rough figure: review labels '
        'before you train on others\n'
        f'corrected: {summary["corrected"]:,}'
    )
    if 'last_loss' not in audit.scores:
        print(
            "predictions over folds have no epochs: there are cleanlab's scores alone, "
            'and no loss curves'
        )
    for pair in summary['corrected_pairs'][:5]:
        print(f'  {pair["label"]} -> {pair["suggestion"]}: {pair["count"]:,}')
    if not args.no_survey:
        print(describe_duplicates(audit.table))
    print('\n' + '\n'.join(str(path) for path in files))
    page = next((path for path in files if path.suffix == '.html'), None)
    if page is not None:
        print(f'\nTo review, open {page.resolve()} in a browser.')


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
