"""Pages of what is to come: each run and each cron ticker stands on one page, with all of its starts.

They follow one another by when a run is due, or a cron ticker fires next. So a page reads as many rows as it
shows, however many cron tickers there are, and however often these fire.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from heapq import merge
from uuid import UUID

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.outlook.outlook import Asked, Reading
from tickerq_celery.store.outlook.rows import Key
from tickerq_celery.tickers.outlook import Bound, Outlook

_MOST_COUNTED, MOST_ON_ONE = 10_000, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The last run and the last cron ticker before a page: each database orders ids in its own way."""

    run: Key | None = None
    cron: Key | None = None

    @classmethod
    def parse(cls, cursor: str) -> "Position":
        """Return the position that a cursor stands for.

        Raises:
            TickerValidationError: It is none of a page.
        """
        try:
            run, cron = (_key(text) for text in str(cursor).split("|"))
        except ValueError as error:
            raise TickerValidationError("cursor", cursor, "pass the next_cursor of a page") from error
        return cls(run=run, cron=cron)

    @property
    def cursor(self) -> str:
        """The text that stands for it."""
        return "|".join(
            "" if key is None else f"{key[0].isoformat()},{key[1].hex}" for key in (self.run, self.cron)
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """A run or a cron ticker: from when on it starts, how its items are added, and where it stands."""

    at: datetime
    add: Callable[[], None]
    position: Callable[[Position], Position]


def read_page(
    tx: Transaction,
    asked: Asked,
    position: Position | None,
    *,
    whole_within: int | None,
    spent: Callable[[], float],
) -> Outlook:
    """Return the page behind a position, None for the first one; ``spent`` is the share of its time.

    The first one has all where it would leave ``whole_within`` cron tickers at most.
    """
    reading = Reading(tx, asked, spent)
    reading.skipped()
    if position is None:
        reading.held()
    else:
        # They stand on the first page.
        reading.items.clear()
    end = _read_rows(reading, asked, position, spent, whole_within=None if position else whole_within)
    until, items = reading.window.until, reading.items
    if end is None:
        begins, bound = until, None
    else:
        begins, bound = max(end.begins, reading.window.since), end.bound
        items = items if end.leads_on else [each for each in items if each.moment <= begins]
    return Outlook(
        items=tuple(sorted(items, key=lambda item: item.moment)),
        since=asked.since,
        until=until,
        complete_until=begins,
        truncated=bound,
        leaves_out_held=not reading.is_whole,
        next_cursor=end.position.cursor if end is not None and end.leads_on else None,
        crons_left=0 if end is None else end.crons_left,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """Where a page ended that has not all: what begins behind it, and how many cron tickers are left.

    Another page follows where it ``leads_on``.
    """

    position: Position
    begins: datetime
    bound: Bound
    crons_left: int = 0
    leads_on: bool = True


def _read_rows(
    reading: Reading,
    asked: Asked,
    position: Position | None,
    spent: Callable[[], float],
    *,
    whole_within: int | None,
) -> _End | None:
    """Add the items of the rows behind a position; return where it ended before the window did."""
    begin = here = position or Position()
    most, is_whole = asked.limit, False
    for row in merge(_runs(reading, begin), _crons(reading, begin), key=lambda each: each.at):
        bound = Bound.LIMIT if len(reading.items) >= most else Bound.BUDGET if spent() >= 1 else None
        # A page that nothing has room on would lead to itself.
        if bound is not None and here != begin:
            end = _End(position=here, begins=row.at, bound=bound)
            if not is_whole:
                left = reading.crons_behind(here.cron, _MOST_COUNTED)
                is_whole, most = whole_within is not None and left <= whole_within, MOST_ON_ONE
                end = replace(end, crons_left=0 if is_whole else left)
            if not is_whole or bound is Bound.BUDGET or len(reading.items) >= most:
                return replace(end, leads_on=not is_whole)
        row.add()
        here = row.position(here)
    return None


def _runs(reading: Reading, position: Position) -> Iterator[_Row]:
    for page in reading.waiting(position.run):
        for run in page:
            key = (run.due_at, run.id)
            yield _Row(run.due_at, partial(reading.add_run, run), partial(replace, run=key))


def _crons(reading: Reading, position: Position) -> Iterator[_Row]:
    for page in reading.firing(position.cron):
        for at, cron in page:
            yield _Row(at, partial(reading.add_cron, cron), partial(replace, cron=(at, cron.id)))


def _key(text: str) -> Key | None:
    if not text:
        return None
    moment, row_id = text.split(",")
    at = datetime.fromisoformat(moment)
    if at.utcoffset() is None:
        raise ValueError(f"naive datetime {moment}")
    return at, UUID(row_id)
