"""The pages that a person reads, and their code blocks."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
FOLDERS = ('', 'docs/', 'docs/guides/', 'configs/*/', 'tools/**/', 'eac_mm/**/')
PAGES = sorted({page for folder in FOLDERS for page in ROOT.glob(f'{folder}*.md')})
# A block may stand in a list, and so be indented.
BLOCK = re.compile(
    r'^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$',
    re.M | re.S,
)
SAVED = re.compile(r'[Ss]ave (?:this|it) as `([\w/]+\.py)`')
NOT_RUN = '<!-- not run: '


class Block(NamedTuple):
    """A code block.

    Attributes:
        line: Where it begins in its page.
        language: Such as ``'python'``.
        code: Its text.
        saved: The file that the text before it says to save it as, or None.
        runs: Whether the line before it gives no reason against.
    """

    line: int
    language: str
    code: str
    saved: str | None
    runs: bool


def blocks(text):
    """Every code block of a page, in order."""
    end = 0
    for found in BLOCK.finditer(text):
        before, end = text[end : found.start()].rstrip(), found.end()
        indent = found['indent']
        lines = found['code'].splitlines()
        saved = SAVED.search(before)
        yield Block(
            text.count('\n', 0, found.start()) + 1,
            found['language'],
            '\n'.join(line.removeprefix(indent) for line in lines) + '\n',
            saved[1] if saved else None,
            not before.rpartition('\n')[2].lstrip(' -').startswith(NOT_RUN),
        )


def commands(code):
    """Every command of a shell block, without comments and variables before it."""
    for line in code.replace('\\\n', ' ').splitlines():
        for part in re.sub(r'(^|\s)#.*', '', line).split('&&'):
            command = re.sub(r'^(\s*[A-Z]+=\S+)+', '', part).strip()
            if command:
                yield command
