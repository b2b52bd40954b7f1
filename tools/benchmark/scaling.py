"""Work out what several GPUs would do, from a measured step and the gradient's size.

python tools/benchmark/scaling.py --step 0.01

A model, not a measurement: data-parallel training with a ring all-reduce that
hides behind the backward pass (two thirds of the step) as far as it goes; and what
reading images from files in every epoch would take, if they do not fit in memory.
"""

import argparse
import math
from collections.abc import Sequence

FLOAT = 4  # bytes of a gradient's element
IMAGES = {'RAF-DB': 12_271, 'FERPlus': 28_224, 'AffectNet': 283_901}
NODE = 8  # GPUs that a fast link joins


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Work out the scaling of a step.')
    parser.add_argument(
        '--step', type=float, required=True, help='seconds of a step on one GPU'
    )
    parser.add_argument(
        '--weights', type=float, default=11.18e6, help='of the model [ResNet-18]'
    )
    parser.add_argument('--batch', type=int, default=32, help='pairs a GPU [32]')
    parser.add_argument(
        '--inside', type=float, default=300, help='GB/s between GPUs of a node [300]'
    )
    parser.add_argument(
        '--between', type=float, default=25, help='GB/s between nodes, a GPU [25]'
    )
    parser.add_argument(
        '--latency', type=float, default=10e-6, help='of a hop, s [1e-5]'
    )
    parser.add_argument(
        '--decode',
        type=float,
        default=1.4e-3,
        help='s of a core for an image, from its file to its views [1.4e-3]',
    )
    parser.add_argument(
        '--file', type=float, default=20e3, help='bytes of an image file [2e4]'
    )
    parser.add_argument('--gpus', type=int, nargs='+', default=[1, 8, 64, 512])
    return parser.parse_args(argv)


def all_reduce(size: float, gpus: int, bandwidth: float, latency: float) -> float:
    """Seconds of a ring all-reduce of ``size`` bytes.

    Each GPU sends and receives ``2 (n - 1) / n`` of the gradient in ``2 (n - 1)``
    messages (Patarasuk and Yuan, 2009).
    """
    hops = 2 * (gpus - 1)
    return hops / gpus * size / bandwidth + hops * latency


def step_time(step: float, reduce: float) -> float:
    """A step whose all-reduce hides behind its backward pass."""
    return max(step, step / 3 + reduce)


def step_of(args: argparse.Namespace, gpus: int) -> tuple[float, float]:
    """Seconds of the all-reduce and of the step."""
    bandwidth = 1e9 * (args.inside if gpus <= NODE else args.between)
    reduce = all_reduce(FLOAT * args.weights, gpus, bandwidth, args.latency)
    return reduce, step_time(args.step, reduce)


def steps_table(args: argparse.Namespace) -> str:
    """What the all-reduce leaves of a step, and of an epoch."""
    from eac_mm.experiments import markdown_table  # takes seconds

    names = [f'{name}: steps an epoch' for name in IMAGES]
    head = ['GPUs', 'all-reduce, ms', 'step, ms', 'efficiency, %', 'batch', *names]
    rows = []
    for gpus in args.gpus:
        reduce, step = step_of(args, gpus)
        batch = gpus * args.batch
        cells = [
            gpus,
            f'{1e3 * reduce:.2f}',
            f'{1e3 * step:.2f}',
            f'{100 * args.step / step:.0f}',
            f'{batch:,}',
            *(f'{math.ceil(size / batch):,}' for size in IMAGES.values()),
        ]
        rows.append(cells)
    return markdown_table(head, rows)


def files_table(args: argparse.Namespace) -> str:
    """What GPUs that never wait for images ask of processors and storage."""
    from eac_mm.experiments import markdown_table  # takes seconds

    head = ['GPUs', 'images a second', 'cores', 'read, GB/s']
    rows = []
    for gpus in args.gpus:
        images = gpus * args.batch / step_of(args, gpus)[1]
        cells = [
            gpus,
            f'{images:,.0f}',
            f'{math.ceil(images * args.decode):,}',
            f'{images * args.file / 1e9:.2f}',
        ]
        rows.append(cells)
    return markdown_table(head, rows)


def main(argv: Sequence[str] | None = None) -> str:
    """Print the tables and return them."""
    args = parse_args(argv)
    text = f'{steps_table(args)}\n\nFrom files in every epoch:\n\n{files_table(args)}'
    print(text)
    return text


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
