"""What the pages point at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ('', 'docs/**/', 'configs/**/', 'tools/**/')
PAGES = sorted({page for folder in FOLDERS for page in ROOT.glob(f'{folder}*.md')})
LINK = re.compile(r'\]\(([^)#\s]+)[^)]*\)')


def test_there_are_pages():
    assert {'README.md', 'CHANGELOG.md'} <= {page.name for page in PAGES}


@pytest.mark.parametrize('page', PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links(page):
    targets = [t for t in LINK.findall(page.read_text('utf-8')) if '://' not in t]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []
