"""The commands of the pages are understood, and their Python runs."""

import contextlib
import importlib.util
import io
import re
import shlex
import sys
from functools import cache
from pathlib import Path

import pytest
from mmpretrain.registry import MODELS

from eac_mm.apis import load_config
from eac_mm.utils.shipped import find_recipe

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # where a clone is not installed
import eac_mm_cli  # noqa: E402

FOLDERS = ('', 'docs/', 'docs/guides/', 'configs/*/', 'tools/**/')
PAGES = sorted({page for folder in FOLDERS for page in ROOT.glob(f'{folder}*.md')})
BASH = re.compile(r'```bash\n(.*?)```', re.S)
CALL = re.compile(r'(eac-mm|python tools/\S+\.py) ')
NAME = re.compile(r'(configs/)?[a-z_]+/\w+_\w+(-\w+)*(\.py)?')
# Names of the reader's own, and what is no recipe.
OWN = ('configs/mine/', 'my_configs/', 'work_dirs/', 'data/', 'docs/', 'tests/')


def commands():
    """Every command of eac-mm or of a script, with the page that it is from."""
    for page in PAGES:
        for block in BASH.findall(page.read_text(encoding='utf-8')):
            for line in block.replace('\\\n', ' ').splitlines():
                for part in line.split('&&'):
                    if CALL.match(part.strip() + ' '):
                        yield str(page.relative_to(ROOT)), part.strip()


COMMANDS = sorted(set(commands()))


@cache
def parser_of(script):
    name = f'parsed_{script.stem}'
    spec = importlib.util.spec_from_file_location(name, script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module.parse_args


def script_and_words(command):
    words = shlex.split(command, comments=True)
    if words[0] == 'python':
        return ROOT / words[1], words[2:]
    n = 2 if ' '.join(words[1:3]) in eac_mm_cli.VERBS else 1
    return eac_mm_cli.TOOLS / eac_mm_cli.VERBS[' '.join(words[1 : n + 1])], words[
        n + 1 :
    ]


def test_there_are_commands():
    assert len(COMMANDS) > 40


@pytest.mark.parametrize(('page', 'command'), COMMANDS)
def test_a_command_is_understood(page, command, monkeypatch):
    if command in ('eac-mm --help', 'eac-mm --version'):
        return
    script, words = script_and_words(command)
    monkeypatch.setattr(sys, 'path', [str(script.parent), *sys.path])
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            parser_of(script)(words)
    except SystemExit as end:
        assert not end.code, said.getvalue()
    for word in words:
        if NAME.fullmatch(word) and not word.startswith(OWN):
            assert find_recipe(ROOT / word) or find_recipe(word), word


GUIDES = [
    page
    for page in PAGES
    if (page.parent.name == 'guides' or page.name == 'get_started.md')
    and '```python' in page.read_text(encoding='utf-8')
]
BLOCK = re.compile(
    r'(?P<before>[^`]*(?:`[^`\n]+`[^`]*)*)```python\n(?P<code>.*?)```', re.S
)
SAVED = re.compile(r'[Ss]ave (?:this|it) as `([\w/]+\.py)`')


def test_guides_are_found():
    assert {'own_data.md', 'add_a_method.md', 'get_started.md'} <= {
        page.name for page in GUIDES
    }


@pytest.mark.parametrize('page', GUIDES, ids=lambda page: page.name)
def test_python_of_a_guide_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'configs').mkdir()
    for name in ('_base_', 'baseline'):
        (tmp_path / 'configs' / name).symlink_to(ROOT / 'configs' / name)
    ran = 0
    for found in BLOCK.finditer(page.read_text(encoding='utf-8')):
        before, code = found['before'].strip().splitlines(), found['code']
        if before and before[-1].startswith('<!-- not run: '):
            continue
        saved = SAVED.search(found['before'])
        ran += 1
        if saved is None:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, str(page), 'exec'), {})
            continue
        path = tmp_path / saved[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
        if path.is_relative_to(tmp_path / 'configs'):
            MODELS.build(load_config(path).model)
    assert ran
