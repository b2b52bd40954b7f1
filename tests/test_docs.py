"""What the pages point at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ('', 'docs/**/', 'configs/**/', 'tools/**/')
PAGES = sorted({page for folder in FOLDERS for page in ROOT.glob(f'{folder}*.md')})
COMMAND = re.compile(r'python -m pytest (tests/[\w/.]+)')
LINK = re.compile(r'\]\(([^)#\s]+)[^)]*\)')


def test_there_are_pages():
    assert {'README.md', 'CHANGELOG.md'} <= {page.name for page in PAGES}


@pytest.mark.parametrize('page', PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links(page):
    targets = [t for t in LINK.findall(page.read_text('utf-8')) if '://' not in t]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_that_are_named_exist(page):
    named = COMMAND.findall(page.read_text(encoding='utf-8'))
    assert [path for path in named if not (ROOT / path).exists()] == []
