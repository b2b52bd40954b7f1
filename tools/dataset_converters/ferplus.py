"""Write the image folders of FERPlus from the original csv files.

python tools/dataset_converters/ferplus.py fer2013.csv fer2013new.csv data/ferplus

``fer2013.csv`` is in ``fer2013.tar.gz`` of
https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge
and ``fer2013new.csv`` in https://github.com/microsoft/FERPlus. The competition's
other file ``icml_face_data.csv``, with the columns in another order, serves as well
as ``fer2013.csv``. The output is ::

    data/ferplus
    ├── fer2013new.csv
    ├── FER2013Train    28,558 images
    ├── FER2013Valid     3,579 images
    └── FER2013Test      3,573 images
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Write the image folders of FERPlus from the original csv files.',
        epilog='example: eac-mm convert ferplus fer2013.csv fer2013new.csv '
        'data/ferplus',
    )
    parser.add_argument(
        'fer2013', type=Path, help='fer2013.csv or icml_face_data.csv: the pixels'
    )
    parser.add_argument('ferplus', type=Path, help='fer2013new.csv: names, votes')
    parser.add_argument('out', type=Path, help='folder to write, e.g. data/ferplus')
    return parser.parse_args(argv)


def show_progress(rows: Iterable, total: int) -> Iterator:
    """Show a progress bar while the rows pass."""
    from mmengine import track_iter_progress

    return track_iter_progress((rows, total))


def main(argv: Sequence[str] | None = None) -> None:
    """Convert, and print the number of images of each folder."""
    args = parse_args(argv)
    # Imported here: --help does not need it, and it takes seconds.
    from eac_mm.datasets.faces.ferplus_files import convert

    counts = convert(args.fer2013, args.ferplus, args.out, show_progress)
    for folder, count in counts.items():
        listed = ', '.join(f'{number} {kind}' for kind, number in count.items())
        images = count['written'] + count['kept']
        print(f'{args.out / folder}: {images} images ({listed})')


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
