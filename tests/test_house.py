"""The shape of the package: floors, circles, sizes, and tests that mirror it."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'eac_mm'
# From the bottom; nothing imports from a floor above its own.
FLOORS = (
    ('utils',),
    ('datasets',),
    ('models', 'evaluation'),
    ('engine',),
    ('audit', 'deploy', 'visualization', 'weights'),
    ('apis',),
    ('experiments',),  # many runs, each by what apis offers
)
MODULE_LINES, FUNCTION_LINES = 300, 50
# Longer on purpose, each with its reason.
LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
# Modules whose tests stand elsewhere, each with its reason.
TESTED_ELSEWHERE = {'version.py': 'a constant; tests/test_setup.py reads it'}


def modules():
    """Dotted name of every module of the package, and its file."""
    for path in sorted(PACKAGE.rglob('*.py')):
        parts = path.relative_to(ROOT).with_suffix('').parts
        yield '.'.join(parts[:-1] if parts[-1] == '__init__' else parts), path


def imports(name, path, known):
    """Modules of the package that a file imports, at any depth of its code."""
    package = name.split('.') if path.name == '__init__.py' else name.split('.')[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = '.'.join([*base, *filter(None, [node.module])])
            targets = [f'{base}.{alias.name}' for alias in node.names]
            # A name that is no module comes from the package itself.
            targets = [t if t in known else base for t in targets]
        else:
            continue
        yield from (target for target in targets if target in known)


@pytest.fixture(scope='module')
def graph():
    """Each module with those that it imports, packages' own files left out.

    A package's ``__init__`` imports its modules, which may import their
    neighbours; only ``from package import name`` would close a circle through
    it, and that is counted as an import of the package.
    """
    known = dict(modules())
    return {
        name: {t for t in imports(name, path, known) if t != name}
        for name, path in known.items()
    }


def test_no_module_imports_one_that_imports_it_back(graph):
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f'imports in a circle: {" <- ".join(error.args[1])}')


def floor_of(module):
    parts = module.split('.')
    if len(parts) == 1 or parts[1] == 'version':  # the package itself, its version
        return None
    return next(i for i, rooms in enumerate(FLOORS) if parts[1] in rooms)


def test_nothing_imports_upwards(graph):
    upwards = [
        f'{name} imports {target}'
        for name, targets in graph.items()
        for target in targets
        if None not in (floor_of(name), floor_of(target))
        and floor_of(name) < floor_of(target)
    ]
    assert upwards == []


def test_a_circle_and_an_import_upwards_are_found(tmp_path):
    # The tests above can fail: seen on a package made for it.
    path = tmp_path / 'one.py'
    path.write_text(
        'from typing import TYPE_CHECKING\n'
        'if TYPE_CHECKING:\n'
        '    from .two import Two\n'
        'from eac_mm.engine import hooks\n'
        'from . import three\n'
    )
    known = {'eac_mm.datasets.two', 'eac_mm.engine', 'eac_mm.engine.hooks'}
    known |= {'eac_mm.datasets', 'eac_mm.datasets.three'}
    found = set(imports('eac_mm.datasets.one', path, known))
    names = {'datasets.two', 'engine.hooks', 'datasets.three'}
    assert found == {f'eac_mm.{name}' for name in names}
    assert floor_of('eac_mm.datasets.one') < floor_of('eac_mm.engine.hooks')


def sources():
    return [*PACKAGE.rglob('*.py'), *(ROOT / 'tools').rglob('*.py')]


def test_modules_are_short():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sources()
        if (lines := len(path.read_text(encoding='utf-8').splitlines())) > MODULE_LINES
    }
    assert set(long) == set(LONG_MODULES), long


def length(function):
    """Lines of a function without its decorators and its docstring."""
    first = function.body[0]
    lines = function.end_lineno - function.lineno + 1
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        lines -= first.end_lineno - first.lineno + 1
    return lines


def test_functions_are_short():
    long = {
        f'{path.relative_to(ROOT)}:{node.name}': length(node)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and length(node) > FUNCTION_LINES
    }
    assert set(long) == set(LONG_FUNCTIONS), long


def test_every_module_has_its_test():
    missing = []
    for path in PACKAGE.rglob('*.py'):
        inside = path.relative_to(PACKAGE)
        if path.name == '__init__.py' or inside.as_posix() in TESTED_ELSEWHERE:
            continue
        folders = [f'test_{folder}' for folder in inside.parent.parts]
        if not ROOT.joinpath('tests', *folders, f'test_{path.name}').is_file():
            missing.append(inside.as_posix())
    assert sorted(missing) == []
