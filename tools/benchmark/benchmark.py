"""Measure how near to the hardware's limit training is.

python tools/benchmark/benchmark.py      # every part, 10 to 20 minutes on 2 cores
python tools/benchmark/benchmark.py maps loader --rounds 3

Contenders take turns, each in a process of its own, and what is reported are ratios
within a round. Writes ``gpu.json``, or one named after the CPU's instructions such
as ``cpu-avx2.json``, with ``.md`` and ``.png``, to ``--out``; parts that are not named
stay as they were measured before.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

# Those of `parts`, whose import takes seconds: --help needs the names alone.
PARTS = ('step', 'iteration', 'loader', 'maps', 'memory', 'profile')
SIZES = dict(batch=32, size=224, rounds=7, width=64)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Measure how near to the limit training is.',
        epilog='example: eac-mm benchmark maps loader --rounds 3',
    )
    parser.add_argument(
        'parts', nargs='*', metavar='part', help=f'of {", ".join(PARTS)} [all]'
    )
    for name, size in SIZES.items():
        parser.add_argument(f'--{name}', type=int, default=size, help=f'[{size}]')
    parser.add_argument('--threads', type=int, help='of the CPU [all cores]')
    parser.add_argument('--out', default='docs/performance', help='[docs/performance]')
    args = parser.parse_args(argv)
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        parser.error(f'no part {sorted(unknown)}; choose from {list(PARTS)}')
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and write."""
    args = parse_args(argv)
    import parts
    import report
    import torch

    from eac_mm.utils import hardware
    from eac_mm.utils.files import write_atomically

    if args.threads:
        torch.set_num_threads(args.threads)
    setting = parts.Setting(**{name: getattr(args, name) for name in SIZES})
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    kind = 'gpu' if torch.cuda.is_available() else f'cpu-{hardware.instructions()}'
    path = out / f'{kind}.json'
    measured = json.loads(path.read_text()) if path.is_file() else {}
    for name in args.parts or PARTS:
        print(f'{name} ...', flush=True)
        measured[name] = dict(
            machine=hardware.describe(),
            threads=torch.get_num_threads(),
            setting=asdict(setting),
            values=parts.run(name, setting),
        )
        # After each part, so that an interruption loses one part alone.
        write_atomically(path, json.dumps(measured, indent=1).encode())
    text = report.markdown(measured, path.stem)
    write_atomically(path.with_suffix('.md'), text.encode())
    report.plot(measured, path.with_suffix('.png'))
    print(text)


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
