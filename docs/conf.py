"""Settings of the documentation site: ``bash .ci/docs.sh`` builds it."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import generated  # noqa: E402

generated.write(DOCS)

project = 'eac_mm'
author = 'the authors of eac_mm'
copyright = author
scope: dict = {}
exec((DOCS.parent / 'eac_mm' / 'version.py').read_text(), scope)
release = version = scope['__version__']

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx_copybutton',
    'sphinx_design',
]
exclude_patterns = ['_build']
myst_enable_extensions = ['colon_fence', 'deflist']
myst_heading_anchors = 3
copybutton_prompt_text = '>>> '
autodoc_member_order = 'groupwise'
autodoc_typehints = 'none'  # the docstrings say what a parameter is
autodoc_default_options = {'members': True, 'show-inheritance': True}
napoleon_use_ivar = True  # attributes are not described twice
napoleon_custom_sections = [('Shape', 'params_style')]

html_theme = 'furo'
html_title = f'eac_mm {release}'
html_static_path = ['images']


def show_links_in_place(app, docname: str, source: list[str]) -> None:
    """Let links of a page that leave the site show what they lead to."""
    path = Path(app.env.doc2path(docname))
    if not path.is_relative_to(DOCS / '_generated') and path.suffix == '.md':
        source[0] = generated.relink(source[0], path, path)


def setup(app) -> None:
    """Connect to the reading of pages."""
    app.connect('source-read', show_links_in_place)
