"""What a command shows: tables and lines for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.util import find_spec
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Generic, TypeVar

import click

from tickerq_celery.cli.tables import Column, plain_lines
from tickerq_celery.cli.terminal import harmless
from tickerq_celery.deferred import Deferred
from tickerq_celery.tickers.json_values import as_json
from tickerq_celery.tickers.listings import Listing
from tickerq_celery.tickers.pages import Page
from tickerq_celery.wording import moment

if TYPE_CHECKING:
    from tickerq_celery.cli.rich_tables import print_table
else:
    print_table = Deferred("tickerq_celery.cli.rich_tables", "print_table")

T = TypeVar("T")


class Format(Enum):
    """Whom the output is for."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The output of one command.

    Under ``--json`` all of it is one document, and under ``--jsonl`` each object a line. A command therefore
    calls ``listing`` or ``value`` once; ``line`` and ``details`` are for people only.
    """

    format: Format = Format.TEXT

    @property
    def is_for_people(self) -> bool:
        """Whether people read it."""
        return self.format is Format.TEXT

    def listing(
        self,
        items: Iterable[T],
        columns: Sequence[Column[T]],
        *,
        empty: str,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Show views as a table, or as ``{"items": […]}`` with the cursors of a page, or as an object a line.

        ``empty`` is what people read where there is none, ``extra`` what the document says besides. ``items``
        may be a walk: it is written as it is read.
        """
        if self.format is Format.JSONL:
            for item in items:
                click.echo(_dumped(item))
        elif self.format is Format.JSON:
            _echo_document(items, extra or {})
        else:
            self._table(items, columns, empty)
            if isinstance(items, Page):
                _say_how_to_go_on(items)

    def lines(self, items: Iterable[object]) -> None:
        """Show values as their texts, one a line as they come, or as ``listing`` does for programs."""
        if self.format is Format.JSON:
            _echo_document(items, {})
            return
        for item in items:
            click.echo(harmless(str(item)) if self.is_for_people else _dumped(item))

    def value(self, view: object, show: Callable[[], None]) -> None:
        """Show one view as its JSON, or let ``show`` write it for people."""
        if self.is_for_people:
            show()
        else:
            click.echo(_dumped(view))

    def line(self, text: str = "", *, fg: str | None = None, bold: bool | None = None) -> None:
        """Write a line that people read, and programs do not get; on a terminal in that style."""
        if self.is_for_people:
            click.echo(click.style(harmless(text), fg=fg, bold=bold))

    def heading(self, text: str) -> None:
        """Write a heading, bold on a terminal."""
        self.line()
        self.line(text, bold=True)

    def block(self, heading: str, text: str | None) -> None:
        """Write a text under a heading; nothing where there is none."""
        if text:
            self.heading(heading)
            self.line(text.rstrip())

    def details(self, pairs: Mapping[str, str | None]) -> None:
        """Write names and values below one another, without those that are None or empty."""
        shown = {name: value for name, value in pairs.items() if value}
        width = max((len(name) for name in shown), default=0)
        for name, value in shown.items():
            first, *rest = value.splitlines() or [""]
            self.line(f"{name:<{width}}  {first}")
            for each in rest:
                self.line(f"{'':<{width}}  {each}")

    def _table(self, items: Iterable[T], columns: Sequence[Column[T]], empty: str) -> None:
        seen = _Seen(items)
        is_terminal = sys.stdout.isatty()
        if is_terminal and find_spec("rich") is not None:
            print_table(columns, seen)
        else:
            room = get_terminal_size().columns if is_terminal else None
            for text in plain_lines(columns, seen, room):
                click.echo(text)
        if not seen.any:
            click.echo(empty)


class _Seen(Generic[T]):
    """Items, and whether there were any."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self.any = False

    def __iter__(self) -> Iterator[T]:
        for item in self._items:
            self.any = True
            yield item


def _dumped(value: object) -> str:
    # In ASCII, so that neither a terminal nor a locale makes something else of it.
    return json.dumps(as_json(value), separators=(",", ":"))


def cursors_of(items: object) -> dict[str, object]:
    """Return what a document says of how a page goes on; nothing of what is no page."""
    found: dict[str, object] = {}
    if isinstance(items, Page):
        found["next_cursor"] = items.next_cursor
    if isinstance(items, Listing):
        found |= {"previous_cursor": items.previous_cursor, "looked_back_to": items.looked_back_to}
    return found


def _say_how_to_go_on(page: Page[object]) -> None:
    if isinstance(page, Listing) and page.looked_back_to is not None:
        click.echo(f"looked as far as {moment(page.looked_back_to)}: more may meet the filters", err=True)
    if page.next_cursor is not None:
        click.echo(f"there are more: --cursor {page.next_cursor}", err=True)


def _echo_document(items: Iterable[object], extra: Mapping[str, object]) -> None:
    """Write one document item by item, so that a long walk is never held as a whole."""
    click.echo('{"items":[', nl=False)
    comma = ""
    for item in items:
        click.echo(comma + _dumped(item), nl=False)
        comma = ",\n"
    beside = {**extra, **cursors_of(items)}
    rest = "".join(f",{json.dumps(name)}:{_dumped(value)}" for name, value in beside.items())
    click.echo(f"]{rest}}}")
