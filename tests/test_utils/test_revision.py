import subprocess

import pytest

from eac_mm.utils import revision
from eac_mm.version import __version__


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A git checkout of one commit, which stands in for that of the package."""
    (tmp_path / 'eac_mm').mkdir()
    (tmp_path / 'eac_mm' / 'a.py').write_text('a = 1\n')

    def git(*words):
        names = ['-c', 'user.name=n', '-c', 'user.email=n@example.org']
        command = ['git', '-C', str(tmp_path), *names, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True)

    git('init')
    git('add', '-A')
    git('commit', '-m', 'one')
    monkeypatch.setattr(revision, 'ROOT', tmp_path.resolve())
    commit = git('rev-parse', 'HEAD').stdout.strip()
    return tmp_path, commit


def describe():
    return revision.describe.__wrapped__()


def test_a_checkout_has_a_commit(checkout):
    folder, commit = checkout
    assert describe() == f'{__version__}, commit {commit[:12]}'
    (folder / 'README.md').write_text('nothing that decides a figure')
    assert describe() == f'{__version__}, commit {commit[:12]}'
    (folder / 'eac_mm' / 'a.py').write_text('a = 2\n')
    assert describe() == f'{__version__}, commit {commit[:12]} with changes'


def test_the_checkout_of_something_else_is_not_taken(checkout, monkeypatch):
    folder, _ = checkout  # such as site-packages below another project
    monkeypatch.setattr(revision, 'ROOT', (folder / 'eac_mm').resolve())
    assert describe() == __version__


def test_without_git(monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    assert describe() == __version__
