"""Which code runs: the version, and the commit of a git checkout."""

import functools
import subprocess
from pathlib import Path

from eac_mm.version import __version__

ROOT = Path(__file__).resolve().parents[2]
# What decides a run's figures; a page that is edited meanwhile does not.
CODE = ('eac_mm', 'configs', 'tools')


@functools.cache
def describe() -> str:
    """Name the version and the commit in one line, such as ``0.1.0, commit 1a2b3c4``.

    A commit whose files were changed since is ``... with changes``. Without a git
    checkout of this package, or without git, it is the version alone.
    """
    top = _git('rev-parse', '--show-toplevel')
    commit = _git('rev-parse', '--short=12', 'HEAD')
    if top is None or commit is None or Path(top).resolve() != ROOT:
        return __version__
    changed = _git('status', '--porcelain', '--', *CODE)
    return f'{__version__}, commit {commit}{" with changes" if changed else ""}'


def _git(*words: str) -> str | None:
    """Return what git prints, None if it fails or is not there."""
    command = ['git', '-C', str(ROOT), *words]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
