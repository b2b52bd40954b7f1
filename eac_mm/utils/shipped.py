"""Where the recipes lie: in a clone, or in an installed wheel."""

import difflib
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_IN_WHEEL = _PACKAGE / '.mim'


def configs() -> Path:
    """Return the folder of the recipes."""
    root = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent
    return root / 'configs'


def find_recipe(path: str | Path) -> Path | None:
    """Find the recipe that a path or a name stands for.

    Args:
        path: A file, or the name of a recipe that comes with the package, such as
            ``eac/resnet18_rafdb_clean``, with or without ``configs/`` and ``.py``.

    Returns:
        The file, which a file of the caller's precedes. None if there is none.
    """
    path = Path(path)
    if path.is_file():
        return path
    shipped = configs() / f'{_name(path)}.py'
    return shipped if shipped.is_file() else None


def nearest_recipe(path: str | Path) -> str:
    """Return the recipe whose name is the most like one that does not exist.

    Args:
        path: What was given. Recipes beside it are looked at first.
    """
    path = Path(path)
    beside = [str(recipe) for recipe in path.parent.glob('*.py')]
    folder = configs()
    shipped = [
        recipe.relative_to(folder).with_suffix('').as_posix()
        for recipe in folder.glob('[!_]*/*.py')
    ]
    near = difflib.get_close_matches(str(path), beside, 1)
    near = near or difflib.get_close_matches(_name(path), shipped, 1)
    return near[0] if near else 'configs/eac/resnet18_rafdb_noise30.py'


def _name(path: Path) -> str:
    return path.as_posix().removeprefix('configs/').removesuffix('.py')
