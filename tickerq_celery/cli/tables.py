"""Tables as plain text: aligned, without colours, and with nothing cut."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from tickerq_celery.cli.terminal import harmless

T = TypeVar("T")
# So many rows are measured before the first one is written.
_MEASURED = 100


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column: its title, the text of an item in it, and the style of that on a terminal with rich.

    ``is_number`` aligns it to the right; one that ``folds`` goes on in further lines on a narrow terminal.
    """

    title: str
    text: Callable[[T], str]
    style: Callable[[T], str | None] = lambda item: None
    is_number: bool = False
    folds: bool = False


def portions(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield items in portions that are measured and written together: a long walk is never in memory."""
    rest = iter(items)
    while portion := list(islice(rest, _MEASURED)):
        yield portion


def plain_lines(columns: Sequence[Column[T]], items: Iterable[T]) -> Iterator[str]:
    """Yield a table's lines, the titles first; a column grows where a later portion needs more room."""
    widths = [len(column.title) for column in columns]
    is_first = True
    for portion in portions(items):
        rows = [[_one_line(column.text(item)) for column in columns] for item in portion]
        widths = [max(width, *(len(row[at]) for row in rows)) for at, width in enumerate(widths)]
        if is_first:
            yield _line(columns, [column.title for column in columns], widths)
            is_first = False
        for row in rows:
            yield _line(columns, row, widths)


def _line(columns: Sequence[Column[T]], cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.rjust(width) if column.is_number else cell.ljust(width)
        for column, cell, width in zip(columns, cells, widths, strict=True)
    )
    return "  ".join(aligned).rstrip()


def _one_line(text: str) -> str:
    return harmless(" ".join(text.split()))
