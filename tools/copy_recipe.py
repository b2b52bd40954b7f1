"""Copy a recipe and its base files into a folder, to edit them there.

python tools/copy_recipe.py eac/resnet18_syntheticfer_noise30 my_configs
"""

import argparse
import ast
import difflib
from collections.abc import Sequence
from pathlib import Path

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Copy a recipe and its base files into a folder, to edit them '
        'there.',
        epilog='example: eac-mm cp eac/resnet18_syntheticfer_noise30 my_configs',
    )
    parser.add_argument('recipe', help='its name, as in eac-mm ls')
    parser.add_argument('folder', type=Path, help='where to; made if it is not there')
    return parser.parse_args(argv)


def find(name: str) -> Path:
    """Return the file of a recipe, named with or without ``configs/`` and ``.py``.

    Raises:
        FileNotFoundError: If there is no such recipe.
    """
    name = name.removeprefix('configs/').removesuffix('.py')
    path = CONFIGS / f'{name}.py'
    if not path.is_file():
        names = [f'{p.parent.name}/{p.stem}' for p in CONFIGS.glob('[!_]*/*.py')]
        near = difflib.get_close_matches(name, names, 1)
        raise FileNotFoundError(
            f'there is no recipe {name}. Fix: '
            f'{near[0] if near else "a name that eac-mm ls lists"}.'
        )
    return path


def bases_of(path: Path) -> list[Path]:
    """Return the files that a recipe names as its ``_base_``."""
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == '_base_':
            named = ast.literal_eval(node.value)
            named = [named] if isinstance(named, str) else named
            return [(path.parent / name).resolve() for name in named]
    return []


def needed(path: Path) -> list[Path]:
    """Return a recipe and all files that it is built on, each once."""
    found = [path]
    for one in found:  # the list grows while it is read
        found += [base for base in bases_of(one) if base not in found]
    return found


def copy(path: Path, folder: Path) -> Path:
    """Copy a recipe and its base files; return the copy of the recipe.

    Raises:
        FileExistsError: If the folder holds another file of the same name; nothing is
            copied then.
    """
    files = {source: folder / source.relative_to(CONFIGS) for source in needed(path)}
    other = [
        str(target)
        for source, target in files.items()
        if target.exists() and target.read_bytes() != source.read_bytes()
    ]
    if other:
        raise FileExistsError(
            f'{", ".join(other)}: there already, with other content. Fix: another '
            'folder.'
        )
    for source, target in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    return files[path]


def main(argv: Sequence[str] | None = None) -> None:
    """Copy, and print the command that trains the copy."""
    args = parse_args(argv)
    path = copy(find(args.recipe), args.folder)
    print(f'{path}: edit it, then\neac-mm train {path}')


if __name__ == '__main__':
    import eac_mm_cli

    raise SystemExit(eac_mm_cli.run(main))
