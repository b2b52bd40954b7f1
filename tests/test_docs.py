"""What the pages name is there: files, options, settings and classes."""

import re
import sys
from functools import cache
from pathlib import Path

import mmengine.registry
import pytest
from mmengine.registry import Registry
from mmpretrain import registry as registries
from pages import BLOCK, PAGES, blocks

from eac_mm.apis import load_config
from eac_mm.apis.options import check_options

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # where a clone is not installed
import eac_mm_cli  # noqa: E402

COMMAND = re.compile(r'python -m pytest (tests/[\w/.]+)')
LINK = re.compile(r'\]\(([^)#\s]+)[^)]*\)')
SPAN = re.compile(r'`([^`\n]+)`')
OPTION = re.compile(r'(?<![\w-])--[a-z][a-z-]+')
FILE = re.compile(
    r'(?<![\w/.])(?:docs|configs|tools|tests|eac_mm|requirements|_base_|\.ci|\.github)'
    r'/[\w/.-]*\w(?![\w<{./*])'
)
SETTING = re.compile(r'(?:model|train_dataloader|val_dataloader|default_hooks)(\.\w+)+')
CLASS = re.compile(r'[A-Z]\w*(?:Hook|Head|Loss|Sampler|Cache|Classifier|Labels|Faces)')
# The changelog and the guide to newer names have names that are gone.
OF_TODAY = [page for page in PAGES if page.name not in ('CHANGELOG.md', 'migrate.md')]
SITE = [page for page in OF_TODAY if 'docs' in page.relative_to(ROOT).parts]
# Recipes that take what others do not: the settings of the pages are some of theirs.
RECIPES = ('eac/resnet18_rafdb_noise30', 'baseline/resnet18_rafdb_noise30')


def name_of(page):
    return str(page.relative_to(ROOT))


@cache
def spans(page):
    """What a page has in code style, but for its blocks."""
    return SPAN.findall(BLOCK.sub('', page.read_text(encoding='utf-8')))


def test_there_are_pages():
    assert {'README.md', 'CHANGELOG.md'} <= {page.name for page in PAGES}


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_links(page):
    targets = [t for t in LINK.findall(page.read_text('utf-8')) if '://' not in t]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_tests_that_are_named_exist(page):
    named = COMMAND.findall(page.read_text(encoding='utf-8'))
    assert [path for path in named if not (ROOT / path).exists()] == []


@cache
def saved():
    """Files that a page tells the reader to write."""
    pages = (page.read_text(encoding='utf-8') for page in PAGES)
    return {block.saved for text in pages for block in blocks(text)}


@pytest.mark.parametrize('page', OF_TODAY, ids=name_of)
def test_files_that_are_named_exist(page):
    named = {path for span in spans(page) for path in FILE.findall(span)}
    places = (ROOT, ROOT / 'configs')
    missing = [f for f in named if not any((place / f).exists() for place in places)]
    assert set(missing) - saved() == set()


@cache
def options_of_tools():
    """Every option that a tool adds to its parser, or that argparse does."""
    scripts = [*(ROOT / 'tools').rglob('*.py'), ROOT / 'eac_mm_cli.py']
    text = '\n'.join(script.read_text(encoding='utf-8') for script in scripts)
    return {'--help', *re.findall(r"'(--[a-z][a-z-]+)'", text)}


@pytest.mark.parametrize('page', OF_TODAY, ids=name_of)
def test_options_that_are_named_exist(page):
    named = {option for span in spans(page) for option in OPTION.findall(span)}
    assert named - options_of_tools() == set()


def test_an_option_that_no_tool_has_is_noticed():
    assert '--overwrite' in options_of_tools()
    assert '--overwite' not in options_of_tools()


@pytest.mark.parametrize('page', OF_TODAY, ids=name_of)
def test_versions_that_are_named_are_those_pinned(page):
    pinned = (ROOT / 'requirements' / 'constraints.txt').read_text('utf-8').split()
    assert {span for span in spans(page) if '==' in span} <= set(pinned)


@pytest.mark.parametrize('page', SITE, ids=name_of)
def test_commands_need_no_clone(page):
    """Scripts that are verbs of eac-mm are called by the verb."""
    scripts = re.findall(r'python tools/([\w/]+\.py)', page.read_text('utf-8'))
    assert set(scripts) & set(eac_mm_cli.VERBS.values()) == set()


@pytest.mark.parametrize('page', SITE, ids=name_of)
def test_links_work_outside_the_site(page):
    assert '{doc}' not in page.read_text('utf-8')


@cache
def config(recipe):
    return load_config(recipe)


def takes(recipe, setting):
    try:
        check_options(config(recipe), {setting: None})
    except ValueError:
        return False
    return True


@pytest.mark.parametrize('page', OF_TODAY, ids=name_of)
def test_settings_that_are_named_are_read(page):
    """By a recipe of the page's method, or of a method that the page names."""
    text = page.read_text(encoding='utf-8').lower()
    recipes = [
        f'{path.parent.name}/{path.stem}'
        for end in ('', '-teacher')
        for path in sorted(ROOT.glob(f'configs/[!_]*/resnet18_rafdb_noise30{end}.py'))
        if path.parent.name in text
    ]
    for span in spans(page):
        found = SETTING.match(span)
        if found and span[found.end() :][:1] != '(':  # not a method that is called
            tried = (*RECIPES, *recipes)
            assert any(takes(recipe, found[0]) for recipe in tried), span


def test_a_setting_that_nothing_reads_is_noticed():
    assert takes(RECIPES[0], 'model.head.consistency_weight')
    assert not takes(RECIPES[0], 'model.head.consistency_wieght')


def registered():
    modules = (registries, mmengine.registry)
    return {
        name
        for module in modules
        for registry in vars(module).values()
        if isinstance(registry, Registry)
        for name in registry.module_dict
    }


@pytest.mark.parametrize('page', OF_TODAY, ids=name_of)
def test_classes_that_are_named_are_registered(page):
    config(RECIPES[0])  # imports all of them
    own = set(re.findall(r'^class (\w+)', page.read_text('utf-8'), re.M))
    named = {span for span in spans(page) if CLASS.fullmatch(span)}
    assert named - registered() - own == set()


def test_methods_that_pass_each_image_once():
    """As the guide says: they train on single images, with one network."""
    text = (ROOT / 'docs/guides/choose_a_method.md').read_text(encoding='utf-8')
    (row,) = re.findall(r'no second pass of the network at all \| (.*) \|', text)
    methods = SPAN.findall(row)
    assert methods
    for method in methods:
        cfg = config(f'{method}/resnet18_rafdb_noise30')
        assert cfg.model.type == 'ImageClassifier'
        steps = [s.type for s in cfg.train_dataloader.dataset.dataset.pipeline]
        assert 'RandomFlip' in steps and 'ErasingFlipPair' not in steps
