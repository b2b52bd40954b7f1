"""Draw figures of trained networks and of training data.

python tools/visualize.py attention EAC=work_dirs/eac/resnet18_syntheticfer_noise30 \
    --recipe configs/eac/resnet18_syntheticfer_noise30.py
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

FIGURES = {
    'attention': 'what networks look at in an image and its flipped copy',
    'embedding': 'features in the plane, by t-SNE',
    'losses': 'losses of clean and of wrong labels of recorded runs',
    'pairs': 'training images after augmentation',
}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Draw figures of trained networks and of training data, as PNG '
        'and SVG.',
        epilog='example: eac-mm figures pairs '
        'configs/eac/resnet18_syntheticfer_noise30.py',
    )
    kinds = parser.add_subparsers(dest='figure', required=True, metavar='FIGURE')
    for name, text in FIGURES.items():
        add_arguments(kinds.add_parser(name, help=text, description=text), name)
    return parser.parse_args(argv)


def add_arguments(parser: argparse.ArgumentParser, figure: str) -> None:
    """Add the arguments of one figure."""
    add = parser.add_argument
    if figure in ('attention', 'losses'):
        text = 'work directory of a run, as PATH or NAME=PATH'
        add('runs', nargs='+', metavar='RUN', help=text)
    if figure == 'embedding':
        add('run', metavar='RUN', help='work directory of a run')
        add('--seed', type=int, default=0, help='of t-SNE [%(default)s]')
    if figure == 'pairs':
        add('recipe', help='whose training images are drawn')
    if figure in ('attention', 'embedding'):
        add('--recipe', required=True, help='whose training images are drawn')
    if figure in ('attention', 'pairs'):
        text = 'these images [the first with a wrong label]'
        add('--samples', type=int, nargs='+', metavar='INDEX', help=text)
    if figure in ('losses', 'pairs'):
        text = 'counted from 1 [losses: first, middle and last; pairs: 1 and 2]'
        add('--epochs', type=int, nargs='+', metavar='EPOCH', help=text)
    if figure != 'losses':
        count = dict(attention=6, embedding=1000, pairs=4)[figure]
        add('--count', type=int, default=count, help='number of images [%(default)s]')
        text = 'overrides of the recipe, as for tools/train.py'
        add('--cfg-options', nargs='+', metavar='KEY=VALUE', default=[], help=text)
    out, text = Path('work_dirs', 'figures', figure), 'the files, .png and .svg'
    add('--out', type=Path, default=out, help=f'{text} [%(default)s]')


def name_runs(runs: Sequence[str]) -> dict[str, str]:
    """Return the path of each run by its name, by default that of its folder.

    Raises:
        ValueError: If two have the same name.
    """
    named = [run.split('=', 1) if '=' in run else [Path(run).name, run] for run in runs]
    names = [name for name, _ in named]
    if len(set(names)) < len(names):
        raise ValueError(
            f'two runs are named alike in {names}. Fix: give NAME=PATH for each.'
        )
    return dict(named)


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the figure and write it."""
    args = parse_args(argv)
    # Imported here: --help needs none of it, and it takes seconds.
    from eac_mm.apis import figures
    from eac_mm.utils.options import parse_options
    from eac_mm.visualization import save

    options = dict(parse_options(getattr(args, 'cfg_options', [])))
    if args.figure == 'attention':
        figure = figures.attention_figure(
            name_runs(args.runs), args.recipe, args.samples, args.count, options
        )
    elif args.figure == 'embedding':
        figure = figures.embedding_figure(
            args.run, args.recipe, args.count, args.seed, options
        )
    elif args.figure == 'losses':
        figure = figures.losses_figure(name_runs(args.runs), args.epochs)
    else:
        figure = figures.pairs_figure(
            args.recipe, args.samples, args.count, args.epochs or (1, 2), options
        )
    print(*save(figure, args.out), sep='\n')


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
