"""Export a trained network to ONNX.

python tools/export.py work_dirs/eac/resnet18_rafdb_noise30 model.onnx

The file says in its metadata how it is used; docs/examples/predict_onnx.py runs it
without eac_mm and PyTorch. It is compared with PyTorch before it is kept.
"""

import argparse
from collections.abc import Sequence


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Export a trained network to ONNX (opset 18, any batch size).',
        epilog='example: eac-mm export work_dirs/eac/resnet18_rafdb_noise30 model.onnx',
    )
    parser.add_argument(
        'model', help='a work directory of a training, a checkpoint, or a name'
    )
    parser.add_argument('out', help='the file, .onnx')
    parser.add_argument(
        '--no-preprocessing',
        action='store_true',
        help='take normalised float32 images, not uint8 as OpenCV reads them',
    )
    parser.add_argument(
        '--temperature', type=float, help="divides the logits [the checkpoint's]"
    )
    parser.add_argument(
        '--speed', action='store_true', help='compare its speed with that of PyTorch'
    )
    parser.add_argument(
        '--threads', type=int, default=1, help='of --speed [%(default)s]'
    )
    parser.add_argument(
        '--config', help='recipe of a checkpoint that does not name its pipeline'
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Export, compare, and say what came of it."""
    args = parse_args(argv)
    # Imported here: --help needs none of it, and it takes seconds.
    from eac_mm.apis import load_model
    from eac_mm.apis.export import compare_speed, export_onnx
    from eac_mm.deploy.onnx_file import require_packages

    require_packages()
    model = load_model(args.model, args.config, device='cpu')
    preprocess = not args.no_preprocessing
    difference = export_onnx(model, args.out, preprocess, args.temperature)
    print(
        f'{args.out}: {model.path}, {len(model.classes)} classes, {model.size} px; '
        f'onnxruntime and PyTorch differ by {difference:.1e} at most'
    )
    if args.speed:
        found = compare_speed(model, args.out, preprocess, args.threads)
        for count, (ours, theirs) in found.items():
            print(
                f'batch {count}, {args.threads} thread(s), float32: PyTorch '
                f'{ours:,.0f} images a second, onnxruntime {theirs:,.0f}'
            )


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
