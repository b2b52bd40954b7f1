"""Convert dlib's face recognition network, with BN statistics of training images.

python tools/model_converters/dlib_face.py weights/dlib_face.pth \
    --images data/ferplus/FER2013Train --size 96

A training does the same by itself with --cfg-options load_from=dlib-face.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Convert dlib's face recognition network to DlibFaceResNet, with "
        'BatchNorm running statistics of training images.',
        epilog='example: eac-mm convert dlib-face weights/dlib_face.pth --images '
        'data/ferplus/FER2013Train --size 96',
    )
    parser.add_argument('out', type=Path, help='the file to write, such as a.pth')
    parser.add_argument(
        '--images',
        type=Path,
        required=True,
        help='a folder of training images; 512 of them, spread evenly, are read',
    )
    parser.add_argument(
        '--size', type=int, required=True, help='side of the images in training, pixels'
    )
    parser.add_argument(
        '--stages', type=int, default=4, help='how many stages, 1 to 5 [%(default)s]'
    )
    parser.add_argument(
        '--dense', action='store_true', help='for a backbone with dense=True'
    )
    parser.add_argument(
        '--source', type=Path, help="dlib's file [that of the installed package]"
    )
    parser.add_argument('--force', action='store_true', help='replace an existing file')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Convert, and say how to use the file."""
    args = parse_args(argv)
    # Imported here: --help does not need it, and it takes seconds.
    from eac_mm.weights import convert_for_folder

    converted = convert_for_folder(
        args.out,
        args.images,
        args.size,
        args.stages,
        args.dense,
        args.source,
        args.force,
    )
    print(
        f'{args.out}: {len(converted.state_dict)} weights, with statistics of '
        f'{converted.meta["statistics_images"]} images of {args.size} px\n'
        "To train from it, build on '_base_/models/dlib_face.py', with\n"
        f'--cfg-options load_from={args.out}'
    )


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
