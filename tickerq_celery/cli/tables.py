"""Tables as plain text: aligned, without colours, with nothing cut, and folded on a narrow terminal."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from textwrap import wrap
from typing import Generic, TypeVar

from tickerq_celery.cli.terminal import harmless

T = TypeVar("T")
# So many rows are measured before the first one is written.
_MEASURED = 100
_GAP = 2
# A column that folds keeps so many characters in a row, on however narrow a terminal.
NARROWEST = 24


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


def plain_lines(columns: Sequence[Column[T]], items: Iterable[T], room: int | None = None) -> Iterator[str]:
    """Yield a table's lines, the titles first; a column grows where a later portion needs more room.

    Where a terminal has ``room`` for so many characters, columns that fold go on in further lines.
    """
    widths = [len(column.title) for column in columns]
    is_first = True
    for portion in portions(items):
        rows = [[_one_line(column.text(item)) for column in columns] for item in portion]
        widths = [max(width, *(len(row[at]) for row in rows)) for at, width in enumerate(widths)]
        fitting = widths if room is None else _fitting(columns, widths, room)
        if is_first:
            yield _line(columns, [column.title for column in columns], fitting)
            is_first = False
        for row in rows:
            yield from _folded(columns, row, fitting)


def _fitting(columns: Sequence[Column[T]], widths: Sequence[int], room: int) -> list[int]:
    """Return the widths at which a table fits, as far as columns that fold can be narrowed for that."""
    fitting = list(widths)
    excess = sum(widths) + _GAP * (len(widths) - 1) - room
    # The last first: it is what says most, and what is read last.
    for at in reversed(range(len(columns))):
        if excess > 0 and columns[at].folds:
            narrowed = min(fitting[at], max(NARROWEST, fitting[at] - excess))
            excess -= fitting[at] - narrowed
            fitting[at] = narrowed
    return fitting


def _folded(columns: Sequence[Column[T]], row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    cells = [wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*cells, fillvalue=""):
        yield _line(columns, parts, widths)


def _line(columns: Sequence[Column[T]], cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.rjust(width) if column.is_number else cell.ljust(width)
        for column, cell, width in zip(columns, cells, widths, strict=True)
    )
    return (" " * _GAP).join(aligned).rstrip()


def _one_line(text: str) -> str:
    return harmless(" ".join(text.split()))
