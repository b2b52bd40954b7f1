"""Make a small file of a finished training, with a model card.

python tools/test.py CONFIG work_dirs/.../epoch_30.pth --results results
python tools/publish_model.py work_dirs/.../epoch_30.pth results models/mine.pth
"""

import argparse
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Make a small file of a finished training, with a model card.',
        epilog='example: eac-mm publish work_dirs/eac/resnet18_syntheticfer_noise30/'
        'epoch_20.pth results models/mine.pth --about "Trained on synthetic faces."',
    )
    parser.add_argument('checkpoint', help='epoch_N.pth of a work directory')
    parser.add_argument('results', help='folder that tools/test.py --results wrote')
    parser.add_argument('target', help='the file to write; the card is beside it')
    parser.add_argument(
        '--about', default='', help='what it was trained on, and how, for the card'
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write both files."""
    args = parse_args(argv)
    # Imported here: --help needs none of it, and it takes seconds.
    from eac_mm.apis.publishing import publish

    for path in publish(args.checkpoint, args.results, args.target, args.about):
        print(f'{path}: {path.stat().st_size / 1e6:.2f} MB')


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
