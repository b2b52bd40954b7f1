"""Report the findings of surveys, as JSON and as a text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .survey import Group, Survey, identical_files, listed_twice

SHOWN = 20  # lines of a kind in the text
PROBLEM = '  ! '


def build_report(config: str, surveys: Sequence[Survey]) -> tuple[dict[str, Any], str]:
    """Put the findings of all splits together.

    Args:
        config: Name of the recipe.
        surveys: One for each split.

    Returns:
        The report, whose ``clean`` tells whether nothing was found, and its text.
    """
    splits, lines = {}, []
    for found in surveys:
        twice, same = listed_twice([found]), identical_files([found])
        lines += [found.split, *_split_lines(found, twice, same), '']
        splits[found.split] = _split_report(found, twice, same)
    twice, same = (
        [group for group in find(surveys) if len(set(group.splits)) > 1]
        for find in (listed_twice, identical_files)
    )
    leaks = [
        *_listing('files in more than one split', _group_lines(twice)),
        *_listing('copies in more than one split', _group_lines(same)),
    ]
    if leaks:
        lines += ['between the splits', *leaks, '']
    problems = sum(line.startswith(PROBLEM) for line in lines)
    nothing = 'No problem found in the images and labels.'
    lines.append(f'Findings, marked !: {problems}' if problems else nothing)
    report = dict(
        config=config,
        clean=not problems,
        splits=splits,
        shared=dict(
            listed_twice=[asdict(group) for group in twice],
            identical=[asdict(group) for group in same],
        ),
    )
    return report, '\n'.join(lines)


def _split_report(
    found: Survey, twice: list[Group], same: list[Group]
) -> dict[str, Any]:
    return {
        'error': found.error,
        'samples': len(found.labels),
        'files': len(found.facts),
        'in_memory': found.in_memory,
        'classes': found.classes,
        'empty_classes': found.empty_classes,
        'kinds': found.kinds,
        'sizes': [facts.size for facts in found.sizes or ()],
        'unreadable': {facts.path: facts.fault for facts in found.unreadable},
        'listed_twice': [asdict(group) for group in twice],
        'identical': [asdict(group) for group in same],
    }


def _split_lines(found: Survey, twice: list[Group], same: list[Group]) -> list[str]:
    if found.error:
        return [f'{PROBLEM}it cannot be loaded:', f'    {found.error}']
    lines = [f'  samples: {len(found.labels):,}']
    if found.in_memory:
        lines.append('  kept in memory: there is no file to read')
    else:
        lines.append(f'  image files: {len(found.facts):,}')
    width = max(map(len, found.classes))
    lines += [f'    {name:{width}}  {n:>9,}' for name, n in found.classes.items()]
    if found.sizes:
        for word, facts in zip(('smallest', 'largest'), found.sizes, strict=True):
            w, h = facts.size
            lines.append(f'  {word}: {w} x {h} pixels ({facts.path})')
    if found.kinds:
        kinds = ', '.join(f'{n:,} {kind}' for kind, n in found.kinds.items())
        lines.append(f'  converted when loaded: {kinds}')
    bad = [f'{facts.path}: {facts.fault}' for facts in found.unreadable]
    return [
        *lines,
        *_listing('classes without a sample', found.empty_classes),
        *_listing('images that cannot be read', bad),
        *_listing('images listed more than once', _group_lines(twice)),
        *_listing('images that are copies of each other', _group_lines(same)),
    ]


def _listing(title: str, lines: list[str]) -> list[str]:
    """Return a heading with the count, and the first lines below it."""
    if not lines:
        return []
    shown = [f'    {line}' for line in lines[:SHOWN]]
    if len(lines) > SHOWN:
        shown.append(f'    ... and {len(lines) - SHOWN:,} more (--out has all)')
    return [f'{PROBLEM}{title}: {len(lines):,}', *shown]


def _group_lines(groups: Sequence[Group]) -> list[str]:
    return [_group_line(group) for group in groups]


def _group_line(group: Group) -> str:
    labels = ', '.join(f'{n} {label}' for label, n in Counter(group.labels).items())
    warning = '  THE LABELS DISAGREE' if group.disagrees else ''
    splits = ', '.join(dict.fromkeys(group.splits))
    return f'{" = ".join(group.paths)}  ({splits}: {labels}){warning}'
