"""Draw a sheet of the faces of SyntheticFER: a row a class, a column a person.

Example:
    python tools/visualizations/draw_synthetic_faces.py
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from eac_mm.datasets.faces.expressions import EXPRESSIONS
from eac_mm.datasets.synthetic.faces import draw_face

MARGIN = 84  # pixels for the names


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description='Draw a sheet of synthetic faces, a row a class.'
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('docs/images/synthetic_faces.png'),
        help='the picture to write (default: %(default)s)',
    )
    parser.add_argument(
        '--people', type=int, default=10, help='columns (default: %(default)s)'
    )
    parser.add_argument(
        '--img-size',
        type=int,
        default=64,
        help='width of a face in pixels (default: %(default)s)',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='series of faces (default: %(default)s)'
    )
    parser.add_argument(
        '--first',
        type=int,
        default=51,
        help='index of the first person in the series (default: %(default)s)',
    )
    return parser.parse_args()


def draw_sheet(people: range, img_size: int, seed: int) -> np.ndarray:
    """Draw every expression of several people.

    Args:
        people: Indices of the faces.
        img_size: Width of a face in pixels.
        seed: Which series of faces.

    Returns:
        The sheet in BGR order, a row for each class with its name at the left.
    """
    rows = []
    for name in EXPRESSIONS:
        label = np.full((img_size, MARGIN, 3), 255, np.uint8)
        origin = (6, img_size // 2 + 5)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(label, name, origin, font, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
        faces = [draw_face(name, seed, index, img_size) for index in people]
        rows.append(np.hstack([label, *faces]))
    return np.vstack(rows)


def main() -> None:
    """Draw the sheet and write it."""
    args = parse_args()
    people = range(args.first, args.first + args.people)
    sheet = draw_sheet(people, args.img_size, args.seed)
    # Sensor noise does not compress; a palette makes a third of it.
    picture = Image.fromarray(sheet[..., ::-1]).quantize(256, kmeans=3)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(args.out, optimize=True)
    print(f'{args.out}: {args.out.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    main()
