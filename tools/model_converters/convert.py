"""Turn weights of other projects into weights with MMPretrain's keys.

python tools/model_converters/convert.py resnet18_msceleb.pth weights/msceleb.pth

README.md beside this file says where the sources come from.
"""

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import torch

from eac_mm.utils.files import write_atomically
from eac_mm.weights import LAYOUTS, Converted, convert_weights

EPILOG = """\
kinds:
{kinds}
auto tells them apart by their keys; vggface2 by a head of 8631 identities, or by
being a pickle of NumPy arrays.

images (data_preprocessor) for vggface2:
  VGGFace2's authors trained with BGR, mean subtracted, not divided:
    to_rgb=False, mean=[91.4953, 103.8827, 131.0912], std=[1.0, 1.0, 1.0]
  The released EAC code nevertheless feeds RGB with ImageNet's mean and deviation,
  and so does configs/_base_/models/resnet50_vggface2_eac.py.

Nothing in SOURCE is ever run. Keep that so: use torch 2.6 or newer.
"""
USE = {
    'vggface2': "To train from it, build on '_base_/models/resnet50_vggface2_eac.py', "
    'with\n--cfg-options load_from={out}',
    'eac': 'To test it, give this backbone to a recipe:\n'
    'python tools/test.py RECIPE {out}',
}
USE_BACKBONE = (
    'To train from it, with a recipe of this backbone:\n--cfg-options load_from={out}'
)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    kinds = '\n'.join(f'  {name:12} {x.about}' for name, x in LAYOUTS.items())
    parser = argparse.ArgumentParser(
        description="Turn weights of other projects into weights of MMPretrain's keys.",
        epilog=EPILOG.format(kinds=kinds),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', type=Path, help='the file that you have')
    parser.add_argument('out', type=Path, help='the file to write, such as a.pth')
    parser.add_argument(
        '--kind', choices=('auto', *LAYOUTS), default='auto', help='[%(default)s]'
    )
    parser.add_argument('--force', action='store_true', help='replace an existing file')
    return parser.parse_args(argv)


def write(converted: Converted, out: Path) -> None:
    """Write the weights to a file that ``load_from`` takes."""
    content = io.BytesIO()
    torch.save(dict(state_dict=converted.state_dict, meta=converted.meta), content)
    write_atomically(out, content.getvalue())


def main(argv: Sequence[str] | None = None) -> Converted:
    """Convert a file, say what was found and return it.

    Raises:
        FileExistsError: Where ``out`` exists and ``--force`` is not given, or is
            the source.
    """
    args = parse_args(argv)
    if args.out.exists():
        if args.source.exists() and args.out.samefile(args.source):
            raise FileExistsError(f'{args.out} is the source. Mend: another name.')
        if not args.force:
            raise FileExistsError(
                f'{args.out} exists; runs may depend on it. Mend: choose another name, '
                'or replace it with --force.'
            )
    converted = convert_weights(args.source, args.kind)
    write(converted, args.out)
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
    return converted


if __name__ == '__main__':
    main()
