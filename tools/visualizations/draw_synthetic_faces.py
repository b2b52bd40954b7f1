"""Draw a sheet of synthetic faces: a row for each class, a column for each person.

python tools/visualizations/draw_synthetic_faces.py --out faces.png
"""

import argparse
from collections.abc import Sequence
from pathlib import Path


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Draw a sheet of synthetic faces, a row for each class.',
        epilog='example: eac-mm figures faces --out faces.png',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/figures/synthetic_faces.png'),
        help='the picture to write [%(default)s]',
    )
    parser.add_argument(
        '--people', type=int, default=10, help='number of columns [%(default)s]'
    )
    parser.add_argument(
        '--img-size', type=int, default=64, help='width of a face, pixels [%(default)s]'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='which series of faces [%(default)s]'
    )
    parser.add_argument(
        '--first',
        type=int,
        default=51,
        help='index of the first person in the series [%(default)s]',
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the sheet and write it."""
    args = parse_args(argv)
    # Imported here: --help needs none of it, and it takes seconds.
    from PIL import Image

    from eac_mm.datasets.synthetic.sheet import draw_sheet

    people = range(args.first, args.first + args.people)
    sheet = draw_sheet(people, args.img_size, args.seed)
    # Sensor noise does not compress; a palette makes the file a third as large.
    picture = Image.fromarray(sheet[..., ::-1]).quantize(256, kmeans=3)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(args.out, optimize=True)
    print(f'{args.out}: {args.out.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
