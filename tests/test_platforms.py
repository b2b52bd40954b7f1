"""Nothing of the package needs what only Linux and its kin have."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = {'fcntl', 'grp', 'pwd', 'resource', 'syslog', 'termios'}
FUNCTIONS = {'fork', 'getuid', 'killpg', 'setsid', 'statvfs', 'sysconf', 'uname'}


def uses(tree):
    """Modules and functions of ``os`` of one system that code uses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from MODULES.intersection(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from MODULES.intersection([node.module])
        elif isinstance(node, ast.Attribute) and node.attr in FUNCTIONS:
            yield from [f'os.{node.attr}'] if ast.unparse(node.value) == 'os' else []


def test_what_is_found():
    text = 'import os, fcntl\nfrom pwd import getpwnam\nos.sysconf("x")\nos.getpid()'
    assert set(uses(ast.parse(text))) == {'fcntl', 'pwd', 'os.sysconf'}


def test_nothing_of_one_system_is_used():
    files = [*ROOT.glob('eac_mm/**/*.py'), *ROOT.glob('tools/**/*.py')]
    found = {
        str(path.relative_to(ROOT)): sorted(used)
        for path in files
        if (used := set(uses(ast.parse(path.read_text(encoding='utf-8')))))
    }
    assert found == {}


TAKEN_AWAY = f"""
import os, signal, sys, tempfile
import filelock, mmengine, pandas, psutil, scipy.stats, torch, torch.utils.data
for name in {sorted(MODULES)}:
    sys.modules[name] = None
for module, names in ((os, {sorted(FUNCTIONS)} + ['sched_getaffinity']),
                      (signal, ['SIGUSR1', 'SIGUSR2', 'SIGCHLD'])):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)

from pathlib import Path
from eac_mm.datasets.images import memory
from eac_mm.utils import alone, hardware, signals

memory.SHARED = Path('/no/such/folder')
assert memory.free_shared_memory() > 0
assert hardware.describe()
with signals.exit_on_signal(lambda: ''):
    pass
folder = Path(tempfile.mkdtemp())
alone.WAIT = 0
with alone.alone_in(folder):
    try:
        with alone.alone_in(folder):
            raise AssertionError('two in one folder')
    except RuntimeError as error:
        assert 'another process trains' in str(error)
print('fine')
"""


def test_it_works_without_them():
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', TAKEN_AWAY],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stdout.endswith('fine\n'), done.stderr[-2000:]
