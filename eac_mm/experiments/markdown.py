"""Tables as Markdown writes them."""

from collections.abc import Iterable, Sequence


def markdown_table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of a head and rows of as many cells, without a line's end."""
    lines = [f'| {" | ".join(head)} |', f'|{" --- |" * len(head)}']
    lines += [f'| {" | ".join(map(str, row))} |' for row in rows]
    return '\n'.join(lines)
