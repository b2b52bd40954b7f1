"""The site's own code: links, and the pages that are made from other files."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / 'docs'
sys.path.insert(0, str(DOCS))
import generated  # noqa: E402


@pytest.mark.parametrize(
    ('source', 'link', 'wanted'),
    [
        # from a page of the site
        ('docs/faq.md', '[a](performance.md)', '[a](performance.md)'),
        ('docs/faq.md', '[a](https://b.org/c.md)', '[a](https://b.org/c.md)'),
        ('docs/faq.md', '[a](#b)', '[a](#b)'),
        (
            'docs/guides/add_a_method.md',
            '[a](../../CONTRIBUTING.md)',
            '[a](../_generated/contributing.md)',
        ),
        ('docs/results.md', '[a](results)', '[a](_generated/tables.md)'),
        (
            'docs/guides/migrate.md',
            '[a](../../configs)',
            '[a](../_generated/methods.md)',
        ),
        # to files that the site does not have
        (
            'docs/reliability.md',
            '[tests](../tests/ranks.py)',
            'tests (`tests/ranks.py`)',
        ),
        (
            'docs/reliability.md',
            '[tests/ranks.py](../tests/ranks.py)',
            'tests/ranks.py',
        ),
    ],
)
def test_links_of_a_page(source, link, wanted):
    path = ROOT / source
    assert generated.relink(f'See {link}.', path, path) == f'See {wanted}.'


@pytest.mark.parametrize(
    ('link', 'wanted'),
    [
        ('[a](../baseline/README.md)', '[a](baseline.md)'),
        ('[a](../../README.md)', '[a](../../index.md)'),
        ('[a](../eac/README.md#b)', '[a](eac.md#b)'),
        ('![a](../../docs/images/eac.svg)', '![a](../../images/eac.svg)'),
        ('[a](../../docs/performance.md)', '[a](../../performance.md)'),
        ('[a](resnet18_rafdb_clean.py)', 'a (`configs/eac/resnet18_rafdb_clean.py`)'),
    ],
)
def test_links_of_a_page_that_is_made(link, wanted):
    source = ROOT / 'configs' / 'eac' / 'README.md'
    page = DOCS / '_generated' / 'methods' / 'eac.md'
    assert generated.relink(link, source, page) == wanted


def make_repository(root, options):
    (root / 'configs' / 'eac').mkdir(parents=True)
    (root / 'docs' / 'results').mkdir(parents=True)
    (root / 'model-index.yml').write_text('Import: [configs/eac/metafile.yml]')
    (root / 'configs' / 'eac' / 'metafile.yml').write_text(
        'Collections: [{Name: EAC, Paper: {Title: T, URL: https://a.org}}]\n'
        'Models:\n'
        '  - Metadata: {Training Data: faces, Epochs: 20, Batch Size: 32}\n'
        '    Config: configs/eac/one.py\n'
    )
    (root / 'docs' / 'results' / 'table.csv').write_text(
        'recipe,options,seeds,last5_mean,last5_sd\n'
        f'eac/one,{options},3,84.766,0.5512\n'
        'eac/one,model.head.consistency_weight=1,3,50,1\n'
        'eac/one,,0,,\n'
    )


@pytest.mark.parametrize(
    'options', ['', 'data.seed={seed} optim_wrapper.type=OptimWrapper']
)
def test_zoo(options, tmp_path):
    make_repository(tmp_path, options)
    (tmp_path / 'docs' / 'results' / 'other.csv').write_text('class,f1\nsad,9\n')
    text = generated.zoo(tmp_path)
    assert '## EAC\n\n[T](https://a.org)\n' in text
    assert '| `eac/one` | faces | 20 | 32 | 84.77 ± 0.55 (3 seeds) |' in text
    assert '50.00' not in text  # of other settings than the recipe's


def test_every_page_is_listed(tmp_path):
    (tmp_path / 'guides').mkdir()
    (tmp_path / 'index.md').write_text('```{toctree}\n\nfaq\nguides/one\n```\n')
    for name in ('faq', 'guides/one', 'guides/two', 'new'):
        (tmp_path / f'{name}.md').write_text(f'# Page {name}\n')
    text = generated.more(tmp_path)
    assert '- [Page guides/two](../guides/two.md)' in text and '../new\n' in text
    assert 'faq' not in text and 'guides/one' not in text


def test_the_figure_is_that_of_its_source():
    figure = runpy.run_path(str(DOCS / 'images' / 'draw_eac.py'))['draw']()
    assert (DOCS / 'images' / 'eac.svg').read_text(encoding='utf-8') == figure
