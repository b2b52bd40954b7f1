"""Convert weights of other projects to MMPretrain's keys.

python tools/model_converters/convert.py resnet18_msceleb.pth weights/msceleb.pth

README.md beside this file says where the sources come from.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

# Names and meanings of eac_mm.weights.LAYOUTS, whose import takes seconds.
KINDS = dict(
    resnet="ResNet with torchvision's names",
    vggface2="VGGFace2's ResNet, strides and max-pool as in Caffe",
    mobilenetv2="torchvision's MobileNetV2",
    eac='a model of the released EAC code, with its head',
)
EPILOG = """\
example: eac-mm convert weights resnet18_msceleb.pth weights/msceleb.pth

kinds:
{kinds}
auto tells them apart by their keys; vggface2 by a head of 8631 identities, or by
being a pickle of NumPy arrays.

images (data_preprocessor) for vggface2:
  VGGFace2's authors trained on BGR images, mean subtracted, not divided by a std:
    to_rgb=False, mean=[91.4953, 103.8827, 131.0912], std=[1.0, 1.0, 1.0]
  The released EAC code uses RGB with ImageNet's mean and std, and so does
  configs/_base_/models/resnet50_vggface2.py.

Nothing in SOURCE is ever run. Keep it so: use torch 2.6 or newer.
"""
USE = {
    'vggface2': "To train from it, build on '_base_/models/resnet50_vggface2.py', "
    'with\n--cfg-options load_from={out}',
    'eac': 'To test it, give this backbone to a recipe:\n'
    'python tools/test.py RECIPE {out}',
}
USE_BACKBONE = (
    'To train from it, with a recipe of this backbone:\n--cfg-options load_from={out}'
)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    kinds = '\n'.join(f'  {name:12} {about}' for name, about in KINDS.items())
    parser = argparse.ArgumentParser(
        description="Convert weights of other projects to MMPretrain's keys.",
        epilog=EPILOG.format(kinds=kinds),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', type=Path, help='the file to convert')
    parser.add_argument('out', type=Path, help='the file to write, such as a.pth')
    parser.add_argument(
        '--kind', choices=('auto', *KINDS), default='auto', help='[%(default)s]'
    )
    parser.add_argument('--force', action='store_true', help='replace an existing file')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Convert a file and say what was found."""
    args = parse_args(argv)
    # Imported here: --help does not need it, and it takes seconds.
    from eac_mm.weights import LAYOUTS, convert_file

    converted = convert_file(args.source, args.out, args.kind, args.force)
    kind, backbone = converted.meta['kind'], converted.meta['backbone']
    settings = ', '.join(f'{key}={value!r}' for key, value in backbone.items())
    left = ', '.join(f'{key} {shape}' for key, shape in converted.dropped.items())
    print(
        f'{args.source}: {LAYOUTS[kind].about} ({kind})\n'
        f'left behind, a head for other classes: {left or "none"}\n'
        f'{args.out}: {len(converted.state_dict)} weights, all that '
        f'backbone=dict({settings}) needs\n\n'
        f'{USE.get(kind, USE_BACKBONE).format(out=args.out)}'
    )


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
