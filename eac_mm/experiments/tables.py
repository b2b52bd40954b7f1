"""Tables of a paper as data: which run stands in which cell."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Entry:
    """One cell of a table: a recipe, where it stands, and the paper's figures.

    Attributes:
        row: Name of the row, a number where the table has a ``log_axis``.
        column: Name of the column.
        data: Data set, a key of the file's ``data``.
        noise: Wrong labels in percent.
        recipe: Path below ``configs`` without ``.py``.
        options: Overrides as ``KEY=VALUE``.
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
        """The recipe's folder."""
        return self.recipe.split('/')[0]

    @property
    def folder(self) -> str:
        """Where its runs go; the same for the same recipe in another table."""
        options = [option.split('=', 1) for option in self.options]
        slug = ','.join(f'{key.split(".")[-1]}-{value}' for key, value in options)
        return f'{self.recipe}/{slug}' if slug else self.recipe


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

    def select(
        self,
        names: Collection[str],
        protocol: str,
        data: Collection[str] = (),
        noise: Collection[int] = (),
        methods: Collection[str] = (),
        rows: Collection[str] = (),
    ) -> dict[str, list[Entry]]:
        """The entries of some tables; an empty filter lets everything through.

        Args:
            names: Tables, or ``'all'`` for those that have the protocol.
            protocol: Which entries of theirs.
            data: Data sets to keep.
            noise: Noise rates to keep, in percent.
            methods: Methods to keep, by the folder of the recipe.
            rows: Keep the rows whose names begin so.

        Raises:
            ValueError: For a name that is not there, or where nothing is left.
        """
        entries = [
            e for t in self.tables.values() for p in t.entries.values() for e in p
        ]
        _require('table', names, [*self.tables, 'all'])
        _require('protocol', [protocol], self.protocols)
        _require('--data', data, self.data)
        _require('--noise', noise, sorted({e.noise for e in entries}))
        _require('--methods', methods, sorted({e.method for e in entries}))
        chosen = {}
        for name, table in self.tables.items():
            kept = [
                entry
                for entry in table.entries.get(protocol, [])
                if entry.data in (data or self.data)
                and entry.noise in (noise or [entry.noise])
                and entry.method in (methods or [entry.method])
                and entry.row.startswith(tuple(rows) or '')
            ]
            if kept and (name in names or 'all' in names):
                chosen[name] = kept
        empty = [n for n in names if n not in chosen and not (n == 'all' and chosen)]
        if empty or not chosen:
            have = [n for n, t in self.tables.items() if t.entries.get(protocol)]
            raise ValueError(
                f'{" ".join(empty) or "no table named"}: nothing is left to run. '
                f'Tables of the protocol {protocol}: {" ".join(have)}. Mend: name '
                'one of them, or loosen --data, --noise, --methods or --rows (see '
                '--list).'
            )
        return chosen


def _require(what: str, given: Iterable, allowed: Collection) -> None:
    unknown = [str(name) for name in given if name not in allowed]
    if unknown:
        raise ValueError(
            f'{what} {" ".join(unknown)} is not there. Give some of: '
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
