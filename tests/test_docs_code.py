"""The code blocks of the pages run, or are at least understood.

CONTRIBUTING.md says which of them run. Each page is followed from top to bottom in a
folder of its own that has a clone's recipes and small data.
"""

import contextlib
import importlib.util
import io
import re
import runpy
import shlex
import shutil
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import setuptools
from conftest import write_images
from mmengine import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS, MODELS
from pages import PAGES, ROOT, blocks, commands
from recorded import record

from eac_mm.apis import load_config
from eac_mm.apis.options import check_options

sys.path.insert(0, str(ROOT))  # where a clone is not installed
import eac_mm_cli

TOOL = re.compile(r'(eac-mm|python tools/\S+\.py)( |$)')
FILE = re.compile(r'(\./)?(docs|requirements|tests|tools|\.ci)/[\w./-]+')
EXTRAS = re.compile(r'\[([\w,-]+)\]')
LANGUAGES = {'bash', 'python', 'text', 'bibtex'}
# Verbs that take no more than seconds with small data.
QUICK = ('list_recipes', 'copy_recipe', 'check', 'make_noise')
FEW = [
    'train_dataloader.dataset.dataset.size=64',
    'val_dataloader.dataset.size=32',
    'test_dataloader.dataset.size=32',
]


def has_code(page):
    return any(b.language in LANGUAGES for b in blocks(page.read_text('utf-8')))


@pytest.fixture
def desk(tmp_path, recipe_data, monkeypatch):
    """A folder with what the pages take for granted."""
    shutil.copytree(ROOT / 'configs', tmp_path / 'configs')
    (tmp_path / 'data').mkdir()
    for name, root in recipe_data.items():
        (tmp_path / 'data' / name).symlink_to(root)
    rng = np.random.default_rng(0)
    for split in ('train', 'val', '.'):  # both layouts of own_data.md and validation.md
        for expression in ('happy', 'sad'):
            folder = tmp_path / 'data' / 'mine' / split / expression
            write_images(folder, [f'{i}.jpg' for i in range(8)], 64, rng)
    write_images(tmp_path / 'faces', ['1.jpg'], 64, rng)
    for name in ('a.jpg', 'b.jpg'):
        shutil.copy(tmp_path / 'faces' / '1.jpg', tmp_path / name)
    labels, classes = np.arange(21) % 7, [str(i) for i in range(7)]
    record(
        tmp_path / 'work_dirs/eac/resnet18_syntheticfer_noise30',
        rng.normal(size=(3, 2, 21, 7)),
        labels,
        classes,
        disagreement=rng.random((3, 21)),
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'path', [str(tmp_path), *sys.path])
    return tmp_path


# Pages whose commands are ways to choose from, not to go one after the other.
CHOICES = ('faq.md',)
IN_ORDER = [
    page
    for page in PAGES
    if 'docs' in page.relative_to(ROOT).parts and page.name not in CHOICES
]


@pytest.mark.parametrize('page', IN_ORDER, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_command_meets_what_an_earlier_one_has_written(page):
    taken = []
    for block in blocks(page.read_text(encoding='utf-8')):
        for command in commands(block.code) if block.language == 'bash' else ():
            folder = folder_of(command)
            assert folder is None or folder not in taken, command
            taken.append(folder)


def folder_of(command):
    """The folder that a training or a prediction refuses if it is in use."""
    words = shlex.split(command)
    if words[:2] not in (['eac-mm', 'train'], ['eac-mm', 'predict']):
        return None
    if {'--resume', '--overwrite'} & set(words):
        return None
    tool, words = tool_and_words(words)
    args = tool.parse_args(words)
    if tool.name == 'train':
        return args.work_dir or args.config.removeprefix('configs/')
    return str(args.out)


def test_a_folder_in_use_is_noticed():
    recipe = 'eac/resnet18_syntheticfer_noise30'
    assert folder_of(f'eac-mm train {recipe}') == recipe
    assert folder_of(f'eac-mm train {recipe} --work-dir a') == 'a'
    assert folder_of(f'eac-mm train {recipe} --resume') is None
    assert folder_of('eac-mm predict eac-ferplus-48 a.jpg') == 'predictions'


@pytest.mark.parametrize(
    'page', filter(has_code, PAGES), ids=lambda page: str(page.relative_to(ROOT))
)
def test_the_code_of_a_page(page, desk):
    names = {}
    for block in blocks(page.read_text(encoding='utf-8')):
        place = f'{page}:{block.line}'
        if block.language == 'python':
            follow_python(block, place, desk, names)
        elif block.language == 'bash':
            for command in commands(block.code):
                print(f'{place}: {command}')  # shown if it fails
                follow_command(command, block.runs)
        else:
            assert block.language in LANGUAGES or block.language[0] == '{', place


def follow_python(block, place, desk, names):
    """Save a block as the page says, or run it."""
    code = compile(block.code, place, 'exec')
    if block.saved:
        path = desk / block.saved
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.code, encoding='utf-8')
        if '_base_' in code.co_names:
            build(load_config(path))
    elif block.runs:
        assert '_base_' not in code.co_names, f'{place}: "Save it as ..." is missing'
        exec(code, names)
        for value in names.values():
            if isinstance(value, dict) and 'type' in value:  # a part of a recipe
                check_options(Config(), dict(train_dataloader=dict(dataset=value)))


def build(cfg):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        MODELS.build(cfg.model)
        for loader in (cfg.train_dataloader, cfg.val_dataloader):
            DATASETS.build(loader.dataset)


def follow_command(command, runs):
    """Parse a command, and run it if it is quick."""
    words = shlex.split(command)
    if not TOOL.match(command):
        return look_for_files(words)
    if command in ('eac-mm --help', 'eac-mm --version'):
        return eac_mm_cli.main(words[1:])
    tool, words = tool_and_words(words)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            args = tool.parse_args(words)
    except SystemExit as end:
        assert not end.code, said.getvalue()
        return None
    options = getattr(args, 'cfg_options', None) or []
    for name in ('config', 'configs', 'recipe'):
        given = getattr(args, name, None) or []
        for recipe in [given] if isinstance(given, str) else given:
            understand(recipe, tuple(options))
    if runs and tool.name in QUICK:
        if tool.name == 'check' and 'syntheticfer' in args.config:
            words = [*words, '--cfg-options', *options, *FEW]
        status = tool.main(words)
        assert status == 0 or not isinstance(status, int), command
    elif tool.name == 'reproduce' and not args.report:
        words = words if args.list or args.dry_run else [*words, '--dry-run']
        assert tool.main(words) in (None, 0, 1), command  # 1: there is something to do


def tool_and_words(words):
    """What a command runs, and its arguments."""
    if words[0] == 'python':
        return load(ROOT / words[1]), words[2:]
    n = 2 if ' '.join(words[1:3]) in eac_mm_cli.VERBS else 1
    verb = ' '.join(words[1 : n + 1])
    return load(eac_mm_cli.TOOLS / eac_mm_cli.VERBS[verb]), words[n + 1 :]


def load(script):
    name = f'on_a_page_{script.stem}'
    spec = importlib.util.spec_from_file_location(name, script)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(script.parent))  # scripts import their neighbours
    spec.loader.exec_module(module)
    return SimpleNamespace(
        name=script.stem, main=module.main, parse_args=module.parse_args
    )


@cache
def understand(recipe, options):
    """Load a recipe; with options of the model, build it."""
    cfg = load_config(recipe, list(options))
    if any(option.startswith('model.') for option in options):
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            MODELS.build(cfg.model)


@cache
def extras():
    with pytest.MonkeyPatch.context() as patch:
        given = {}
        patch.setattr(setuptools, 'setup', given.update)
        runpy.run_path(str(ROOT / 'setup.py'))
    return set(given['extras_require'])


def look_for_files(words):
    """Look for the files, recipes and extras that another command names."""
    for word in words:
        if FILE.fullmatch(word):
            assert (ROOT / word).exists(), word
        if word.startswith('configs/'):
            assert Path(word).is_file(), word
        found = EXTRAS.search(word)
        if words[0] == 'pip' and found:
            assert set(found[1].split(',')) <= extras(), word


def test_every_kind_of_block_is_found():
    kinds = [
        (page.name, block.language)
        for page in PAGES
        for block in blocks(page.read_text(encoding='utf-8'))
    ]
    assert kinds.count(('own_data.md', 'python')) >= 3
    assert len([kind for kind in kinds if kind[1] == 'bash']) > 60


def test_blocks_of_a_text():
    text = (
        'Save it as `a/b.py`:\n\n```python\nx = 1\n```\n\n'
        '- <!-- not run: it needs a GPU -->\n  ```bash\n  A=1 eac-mm ls \\\n'
        '    eac && ls  # b\n  ```\n'
    )
    one, two = blocks(text)
    assert one == (3, 'python', 'x = 1\n', 'a/b.py', True)
    assert (two.line, two.saved, two.runs) == (8, None, False)
    assert [' '.join(c.split()) for c in commands(two.code)] == ['eac-mm ls eac', 'ls']
