"""Hold the tables of a paper as data: which run belongs to which cell."""

import operator
import re
import shlex
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Entry:
    """One cell of a table: its recipe, its place and the paper's figures.

    Attributes:
        row: Name of the row, a number if the table has a ``log_axis``.
        column: Name of the column.
        data: Data set, a key of the file's ``data``.
        noise: Wrong labels in percent.
        recipe: Path below ``configs`` without ``.py``.
        options: Overrides as ``KEY=VALUE``; ``{seed}`` stands for the seed of a run.
        paper: The paper's figures, in the order of the table's metrics.
    """

    row: str
    column: str
    data: str
    noise: int
    recipe: str
    options: tuple[str, ...] = ()
    paper: tuple[float | None, ...] = ()

    @property
    def method(self) -> str:
        """Folder of the recipe."""
        return self.recipe.split('/')[0]

    @property
    def folder(self) -> str:
        """Folder of its runs, the same for the same recipe in another table."""
        options = [option.split('=', 1) for option in self.options]
        slug = ','.join(
            f'{key.split(".")[-1]}-{_plain(value)}' for key, value in options
        )
        return f'{self.recipe}/{slug}' if slug else self.recipe


def _plain(value: str) -> str:
    """Return the value of an option as a part of one folder's name."""
    return re.sub(r'[^\w.-]+', '_', value.replace('{seed}', 'each')).strip('_')


@dataclass(frozen=True)
class Table:
    """A table; its attributes are the keys that the YAML file explains."""

    name: str
    title: str
    caption: str
    metrics: dict[str, str]
    entries: dict[str, list[Entry]]
    paper_data: str = ''
    log_axis: str = ''
    baseline: str = ''

    def is_baseline(self, entry: Entry) -> bool:
        """Return whether the rows below it in its column are compared with it."""
        return entry.method == 'baseline' or entry.row == self.baseline


@dataclass(frozen=True)
class _Filter:
    """Values of an option, of which an entry has to have one, if there are any."""

    option: str
    values: Collection
    of: Callable[[Entry], Any]
    alike: Callable[[Any, Any], bool] = operator.eq

    def passes(self, entry: Entry) -> bool:
        return not self.values or any(
            self.alike(self.of(entry), value) for value in self.values
        )

    def idle(self, entries: Collection[Entry]) -> list:
        """Return the values that none of the entries has."""
        found = {self.of(entry) for entry in entries}
        return [v for v in self.values if not any(self.alike(f, v) for f in found)]

    def __str__(self) -> str:
        return f'{self.option} {" ".join(map(str, self.values))}'


@dataclass(frozen=True)
class PaperTables:
    """All tables of a file.

    Attributes:
        protocols: What each protocol is, in a paragraph.
        data: Name and number of training images of each data set.
        tables: By name.
    """

    protocols: dict[str, str]
    data: dict[str, dict]
    tables: dict[str, Table] = field(default_factory=dict)

    def entries(self, protocol: str | None = None) -> list[Entry]:
        """List the entries of all tables, of one protocol or of all."""
        return [
            entry
            for table in self.tables.values()
            for name, entries in table.entries.items()
            for entry in entries
            if protocol in (None, name)
        ]

    def select(
        self,
        names: Collection[str],
        protocol: str,
        data: Collection[str] = (),
        noise: Collection[int] = (),
        methods: Collection[str] = (),
        rows: Collection[str] = (),
    ) -> dict[str, list[Entry]]:
        """Select entries of some tables; an empty filter keeps all.

        Args:
            names: Tables, or ``'all'`` for those that have the protocol.
            protocol: Which of their entries.
            data: Data sets to keep.
            noise: Noise rates to keep, in percent.
            methods: Methods to keep, by the folder of the recipe, or ``'all'``.
            rows: Keep the rows whose names begin like one of these.

        Raises:
            ValueError: For an unknown name, or if nothing is left of a table or of one
                of the values to keep.
        """
        entries = self.entries()
        _require('table', names, [*self.tables, 'all'])
        _require('protocol', [protocol], self.protocols)
        _require('--data', data, self.data)
        _require('--noise', noise, sorted({e.noise for e in entries}))
        _require('--methods', methods, [*sorted({e.method for e in entries}), 'all'])
        methods = () if 'all' in methods else methods
        wanted = [name for name in self.tables if name in names or 'all' in names]
        filters = [
            _Filter('--data', data, lambda entry: entry.data),
            _Filter('--noise', noise, lambda entry: entry.noise),
            _Filter('--methods', methods, lambda entry: entry.method),
            _Filter('--rows', rows, lambda entry: entry.row, str.startswith),
        ]
        all_of = {name: self.tables[name].entries.get(protocol, []) for name in wanted}
        chosen = {
            name: kept
            for name, entries in all_of.items()
            if (kept := [e for e in entries if all(f.passes(e) for f in filters)])
        }
        empty = [name for name in names if name != 'all' and name not in chosen]
        absent = [name for name in empty if not all_of[name]]
        if absent or not any(all_of.values()):
            raise ValueError(
                f'{" ".join(absent) or "no table named"}: nothing to run. '
                f'Tables of the protocol {protocol}: '
                f'{" ".join(self._names_with(protocol))}. Fix: name one of them.'
            )
        left = [e for entries in chosen.values() for e in entries if not empty]
        lacking = [replace(one, values=one.idle(left)) for one in filters]
        if empty or any(one.values for one in lacking):
            names = empty or [name for name in all_of if all_of[name]]
            entries = [entry for name in names for entry in all_of[name]]
            raise ValueError(
                f'{_texts(lacking)} chooses no run of {" ".join(names)} in the '
                f'protocol {protocol}. Fix: {_choices(filters, lacking, entries)}.'
            )
        return chosen

    def pages(
        self, names: Collection[str], protocol: str | None
    ) -> list[tuple[Table, str]]:
        """List some tables with each protocol that they have.

        Args:
            names: Tables, or ``'all'``.
            protocol: This protocol only. None for all.

        Raises:
            ValueError: For an unknown name.
        """
        _require('table', names, [*self.tables, 'all'])
        _require('protocol', [protocol], [None, *self.protocols])
        return [
            (table, of)
            for name, table in self.tables.items()
            for of in table.entries
            if (name in names or 'all' in names) and protocol in (None, of)
        ]

    def _names_with(self, protocol: str) -> list[str]:
        return [
            name for name, table in self.tables.items() if protocol in table.entries
        ]

    def listing(self, names: Collection[str] = ()) -> str:
        """Write the cells of some tables, of all if none is named."""
        lines = []
        for table in self.tables.values():
            if names and table.name not in names and 'all' not in names:
                continue
            lines.append(f'\n{table.name}: {table.title}')
            for protocol, entries in table.entries.items():
                lines += [f'  {protocol} | {_entry_line(entry)}' for entry in entries]
        return '\n'.join(lines)


def _texts(filters: Iterable[_Filter]) -> str:
    return ' '.join(str(one) for one in filters if one.values)


def _choices(
    filters: Iterable[_Filter], lacking: Iterable[_Filter], entries: Iterable[Entry]
) -> str:
    """Say which values would choose entries, for each filter that lacks some."""
    there = []
    for this, lack in zip(filters, lacking, strict=True):
        if not lack.values:
            continue
        others = [one for one in filters if one is not this and one.values]
        left = [entry for entry in entries if all(one.passes(entry) for one in others)]
        if left and not any(one.idle(left) for one in others):
            values = sorted({this.of(entry) for entry in left})
            shown = ' '.join(shlex.quote(str(value)) for value in values)
            beside = f' beside {_texts(others)}' if others else ''
            there.append(f'{this.option} {shown}{beside}')
    return '; or '.join(there) or 'leave some of them out (see --list)'


def _entry_line(entry: Entry) -> str:
    figures = '/'.join(f'{figure:.2f}' for figure in entry.paper) or '-'
    parts = [entry.column, entry.row, entry.recipe, *entry.options]
    return ' | '.join([*parts, f'paper {figures}'])


def _require(what: str, given: Iterable, allowed: Collection) -> None:
    unknown = [str(name) for name in given if name not in allowed]
    if unknown:
        raise ValueError(
            f'{what} {" ".join(unknown)} is unknown. Fix: choose from '
            f'{" ".join(str(name) for name in allowed)}.'
        )


def load_tables(path: str | Path) -> PaperTables:
    """Read a file such as ``configs/paper_tables.yml``."""
    content = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    protocols = content['protocols']
    tables = {}
    for name, table in content['tables'].items():
        entries = {
            protocol: [_entry(**entry) for entry in table.pop(protocol)]
            for protocol in protocols
            if protocol in table
        }
        tables[name] = Table(name=name, entries=entries, **table)
    return PaperTables(protocols, content['data'], tables)


def _entry(
    row: str | float,
    options: dict | None = None,
    paper: float | list[float] = (),
    **rest: str | int,
) -> Entry:
    figures = tuple(paper) if isinstance(paper, list | tuple) else (paper,)
    pairs = tuple(f'{key}={value}' for key, value in (options or {}).items())
    return Entry(row=str(row), options=pairs, paper=figures, **rest)
