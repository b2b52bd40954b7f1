"""List the recipes, each with what it reproduces.

python tools/list_recipes.py eac rafdb
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='List the recipes, each with what it reproduces.',
        epilog='example: eac-mm ls eac rafdb',
    )
    parser.add_argument(
        'words', nargs='*', help='only recipes whose names hold all of these'
    )
    parser.add_argument(
        '--short', action='store_true', help='the names alone, one a line'
    )
    parser.add_argument(
        '--where', action='store_true', help='print the folder of configs and tools'
    )
    return parser.parse_args(argv)


def recipes() -> Iterator[tuple[str, Path]]:
    """Yield the name of each recipe, such as ``eac/resnet18_rafdb_clean``, and file."""
    for path in sorted(CONFIGS.glob('[!_]*/*.py')):
        yield f'{path.parent.name}/{path.stem}', path


def has(name: str, words: Sequence[str]) -> bool:
    """Tell whether a recipe's name holds all words; a method's name is its folder."""
    methods = {path.parent.name for path in CONFIGS.glob('[!_]*/*.py')}
    method = name.split('/')[0]
    return all(method == word if word in methods else word in name for word in words)


def head_of(path: Path) -> list[str]:
    """Return the comment at the head of a recipe, up to its command."""
    lines = []
    for line in path.read_text(encoding='utf-8').splitlines():
        if not line.startswith('# ') or line.startswith('# python '):
            break
        lines.append(line[2:])
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Print the recipes; return 1 if there is none of that name, else 0."""
    args = parse_args(argv)
    if args.where:
        print(CONFIGS.parent)
        return 0
    found = [(name, path) for name, path in recipes() if has(name, args.words)]
    for name, path in found:
        print(name)
        for line in [] if args.short else head_of(path):
            print(f'    {line}')
    if not found:
        print(f'No recipe has {" and ".join(args.words)} in its name: see eac-mm ls.')
    return 0 if found else 1


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
