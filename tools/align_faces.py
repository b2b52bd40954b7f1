"""Align the faces of a folder of images, for training.

python tools/align_faces.py photos/train aligned/train --template arcface --size 224
python tools/align_faces.py data/mine/train --measure

Started again, it goes on where it was stopped. --measure prints where the faces of a
folder lie, as a template for recipes, and writes nothing.
"""

import argparse
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Align the faces of a folder of images, for training.',
        epilog='example: eac-mm align photos/train aligned/train --size 224',
    )
    parser.add_argument('source', help='folder of images, with folders below it')
    parser.add_argument('target', nargs='?', help='folder to write')
    parser.add_argument(
        '--measure',
        action='store_true',
        help='print where the faces of SOURCE lie (median of 300 images)',
    )
    parser.add_argument(
        '--template',
        default='arcface',
        help='arcface or ferplus: where the faces shall lie [%(default)s]',
    )
    parser.add_argument(
        '--size', type=int, default=224, help='side of the images [%(default)s]'
    )
    parser.add_argument(
        '--detector',
        default='mtcnn',
        help="mtcnn, dlib, or the path of YuNet's .onnx file [%(default)s]",
    )
    parser.add_argument(
        '--faces',
        choices=('largest', 'central'),
        default='largest',
        help='which face of an image with several [%(default)s]',
    )
    parser.add_argument(
        '--keep-undetected',
        action='store_true',
        help='write the central square of images without a face, too',
    )
    args = parser.parse_args(argv)
    if args.measure == bool(args.target):
        parser.error('give a TARGET, or --measure without one')
    if args.size < 16:
        parser.error(f'--size {args.size}: give 16 or more')
    if args.detector == 'none':
        parser.error('--detector none finds no faces')
    return args


def align(args: argparse.Namespace) -> int:
    """Align, print what came of it, and return the exit status."""
    from pathlib import Path

    from eac_mm.deploy import FaceAligner, build_detector, get_template
    from eac_mm.deploy.folders import align_folder, list_images
    from eac_mm.utils.progress import progress_bar

    template = get_template(args.template)
    detector = build_detector(args.detector)
    aligner = FaceAligner(detector, template, args.size, args.faces)
    total = len(list_images(Path(args.source)))
    with progress_bar('aligning', total) as step:
        report = align_folder(
            args.source, args.target, aligner, args.keep_undetected, step
        )
    counts = ', '.join(f'{n:,} {name}' for name, n in report['statuses'].items())
    print(f'{total:,} images: {counts}; {report["written"]:,} written to {args.target}')
    for name, reason in list(report['left_out'].items())[:10]:
        print(f'  left out: {name}: {reason}')
    if len(report['left_out']) > 10:
        print(f'  ... all {len(report["left_out"]):,} are in alignment.json')
    print(f'in a recipe: metainfo=dict(template={report["template"]})')
    return 1 if report['left_out'] else 0


def measure(args: argparse.Namespace) -> int:
    """Print the template of a folder."""
    from eac_mm.deploy import build_detector
    from eac_mm.deploy.folders import measure_template
    from eac_mm.utils.progress import progress_bar

    with progress_bar('measuring', None) as step:
        template, found = measure_template(
            args.source, build_detector(args.detector), step=step
        )
    print(f'faces in {found:,} images; in a recipe:')
    print(f'metainfo=dict(template={template.to_dict()})')
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Align or measure; return 0, or 1 if images were left out."""
    args = parse_args(argv)
    return measure(args) if args.measure else align(args)


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
