"""Pages that are made from other files: methods, model zoo, API, changelog.

They are written to ``docs/_generated`` whenever the site is built, so that they always
say what the repository says.
"""

import csv
import os
import re
from pathlib import Path

import yaml

LINK = re.compile(r'(!?)\[([^\]]*)\]\(([^)\s]+)\)')
# Files outside docs/ that have a page of the site, by their path in the repository.
PAGES = {
    'README.md': 'index.md',
    'CHANGELOG.md': '_generated/changelog.md',
    'CONTRIBUTING.md': '_generated/contributing.md',
    'tools/model_converters/README.md': '_generated/weights.md',
}
# Folders that a page of the site lists.
FOLDERS = {'configs': '_generated/methods.md', 'docs/results': '_generated/tables.md'}
API = {
    'eac_mm.apis': 'Train, check and predict',
    'eac_mm.datasets': 'Data, label noise and transforms',
    'eac_mm.models': 'Models, heads and losses',
    'eac_mm.engine': 'Hooks, sampler and precision',
    'eac_mm.evaluation': 'Metrics',
    'eac_mm.audit': 'Survey of images and scores of labels',
    'eac_mm.deploy': 'Find and align faces',
    'eac_mm.visualization': 'Figures',
    'eac_mm.weights': 'Weights of other projects',
    'eac_mm.experiments': 'Many runs and their tables',
}


def page_of(path: str) -> str | None:
    """Return the page of the site for a file or folder, None if it has none."""
    method = re.fullmatch(r'configs/(\w+)/README\.md', path)
    if method:
        return f'_generated/methods/{method[1]}.md'
    if path.startswith('docs/') and path.endswith('.md'):
        return path.removeprefix('docs/')
    return PAGES.get(path) or FOLDERS.get(path)


def relink(text: str, source: Path, page: Path) -> str:
    """Make the relative links of a text work on a page of the site.

    A link to a file that has a page leads there, and a picture stays. A link to
    another file of the repository becomes its name, since the site does not have it.

    Args:
        text: The text, as Markdown.
        source: File that it comes from, and that its links start from.
        page: File of the page that it becomes.
    """
    docs = Path(__file__).resolve().parent

    def replace(found: re.Match) -> str:
        mark, words, target = found.groups()
        path, _, anchor = target.partition('#')
        if '://' in target or not path or path.startswith('mailto:'):
            return found[0]
        absolute = Path(os.path.normpath(source.resolve().parent / path))
        inside = os.path.relpath(absolute, docs.parent).replace(os.sep, '/')
        if mark or (inside.startswith('docs/') and absolute.is_file()):
            there = absolute
        elif page_of(inside):
            there = docs / page_of(inside)
        else:
            name = inside if words in ('', inside) else f'{words} (`{inside}`)'
            return name
        relative = os.path.relpath(there, page.resolve().parent).replace(os.sep, '/')
        # Of pages that are made, anchors may differ from the file's.
        anchor = f'#{anchor}' if anchor else ''
        return f'{mark}[{words}]({relative}{anchor})'

    return LINK.sub(replace, text)


def zoo(root: Path) -> str:
    """Return the page of the model zoo: every recipe, and what was measured with it."""
    lines = [
        '# Model zoo',
        '',
        'Every recipe by method. *Measured* is the mean of the last five epochs in '
        'percent, with the standard deviation over the training seeds; '
        '[Results](../results.md) has protocols, machines and commands.',
        '',
    ]
    measured = measurements(root)
    index = yaml.safe_load((root / 'model-index.yml').read_text(encoding='utf-8'))
    for name in index['Import']:
        content = yaml.safe_load((root / name).read_text(encoding='utf-8'))
        collection = content['Collections'][0]
        method = Path(name).parent.name
        lines += [f'## {collection["Name"]}', '']
        paper = collection.get('Paper')
        if paper:
            title = paper['Title']
            lines += [f'[{title}]({paper["URL"]})' if 'URL' in paper else title, '']
        lines += [
            f'[How it works](methods/{method}.md)',
            '',
            '| recipe | training data | epochs | batch | measured |',
            '| --- | --- | --- | --- | --- |',
        ]
        for model in content['Models']:
            recipe = model['Config'].removeprefix('configs/').removesuffix('.py')
            said = model['Metadata']
            figures = '; '.join(measured.get(recipe, [])) or '-'
            lines.append(
                f'| `{recipe}` | {said["Training Data"]} | {said["Epochs"]} '
                f'| {said["Batch Size"]} | {figures} |'
            )
        lines.append('')
    return '\n'.join(lines)


def measurements(root: Path) -> dict[str, list[str]]:
    """Return the measured accuracies of each recipe, without options that change it."""
    found: dict[str, list[str]] = {}
    for table in sorted(root.glob('docs/results/*.csv')):
        with table.open(encoding='utf-8', newline='') as file:
            for row in csv.DictReader(file):
                if not {'recipe', 'options', 'last5_mean'} <= set(row):
                    break  # a table of something else
                # The seed of the noise, and the precision, are the table's own.
                options = [
                    option
                    for option in row['options'].split()
                    if '{seed}' not in option and 'optim_wrapper.type' not in option
                ]
                if not row['last5_mean'] or options:
                    continue
                mean, deviation = float(row['last5_mean']), row['last5_sd']
                spread = f' ± {float(deviation):.2f}' if deviation else ''
                seeds = f'{row["seeds"]} seed' + 's' * (row['seeds'] != '1')
                text = f'{mean:.2f}{spread} ({seeds})'
                if text not in found.setdefault(row['recipe'], []):
                    found[row['recipe']].append(text)
    return found


def results(root: Path) -> str:
    """Return the page that lists the tables."""
    tables = sorted(root.glob('docs/results/*.md'))
    titles = [path.read_text(encoding='utf-8').splitlines()[0][2:] for path in tables]
    rows = [
        f'- [{title}](../results/{path.name})'
        for title, path in zip(titles, tables, strict=True)
    ]
    names = [f'../results/{path.stem}' for path in tables]
    return '\n'.join(['# All tables', '', *rows, '', *toctree(names)])


def more(docs: Path) -> str:
    """Return the page that lists the pages which the first page does not list."""
    first = (docs / 'index.md').read_text(encoding='utf-8')
    listed = {line.strip() for line in first.splitlines()}
    rows, names = [], []
    for path in sorted([*docs.glob('*.md'), *docs.glob('guides/*.md')]):
        name = path.relative_to(docs).with_suffix('').as_posix()
        if name not in {*listed, 'index'}:
            title = path.read_text(encoding='utf-8').splitlines()[0][2:]
            rows.append(f'- [{title}](../{name}.md)')
            names.append(f'../{name}')
    return '\n'.join(['# More guides', '', *rows, '', *toctree(names)])


def toctree(names: list[str]) -> list[str]:
    """Return a hidden table of contents."""
    return ['```{toctree}', ':hidden:', '', *names, '```', '']


def methods(root: Path, folder: Path) -> str:
    """Write the page of each method, and return the page that lists them."""
    rows, names = [], []
    for source in sorted(root.glob('configs/*/README.md')):
        name = source.parent.name
        text = source.read_text(encoding='utf-8')
        page = folder / 'methods' / f'{name}.md'
        put(page, relink(text, source, page))
        rows.append(f'- [{text.splitlines()[0][2:]}](methods/{name}.md)')
        names.append(f'methods/{name}')
    first = [
        '# Methods',
        '',
        'Each page says how a method works, which recipes it has, and where paper, '
        "authors' code and this code differ.",
        '',
    ]
    return '\n'.join([*first, *rows, '', *toctree(names)])


def api(folder: Path) -> str:
    """Write a page for each part of the package, and return the list of them."""
    rows, names = [], []
    for module, about in API.items():
        name = module.split('.')[-1]
        lines = [f'# {module}: {about[0].lower()}{about[1:]}', '', '```{eval-rst}']
        lines += [f'.. automodule:: {module}', '   :imported-members:', '```', '']
        put(folder / 'api' / f'{name}.md', '\n'.join(lines))
        rows.append(f'- [`{module}`](api/{name}.md): {about[0].lower()}{about[1:]}')
        names.append(f'api/{name}')
    return '\n'.join(['# API reference', '', *rows, '', *toctree(names)])


def put(path: Path, text: str) -> None:
    """Write a page if it changed, so that Sphinx reads no page twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding='utf-8') != text:
        path.write_text(text, encoding='utf-8')


def write(docs: Path) -> None:
    """Write all pages that are made from other files."""
    docs = docs.resolve()
    root, folder = docs.parent, docs / '_generated'
    put(folder / 'zoo.md', zoo(root))
    put(folder / 'more.md', more(docs))
    put(folder / 'tables.md', results(root))
    put(folder / 'methods.md', methods(root, folder))
    put(folder / 'api.md', api(folder))
    for name, page in PAGES.items():
        if page.startswith('_generated/'):
            source, target = root / name, docs / page
            put(target, relink(source.read_text(encoding='utf-8'), source, target))
