"""The upcoming runs: those that are stored, and instants of cron tickers that have none yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import overload
from uuid import UUID

from tickerq_celery.enums import TickerKind
from tickerq_celery.tickers.pauses import Pause


class Bound(StrEnum):
    """What ends an answer before its time: enough items, or the time that it may take."""

    LIMIT = "limit"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookItem:
    """One thing to come: a run that is stored, an instant at which a cron ticker makes one, or many of these.

    ``moment`` is when the run is due, or the instant, after which the run is due by ``delay``, the share of
    the jitter. ``run_id`` is None of an instant that has no run yet. ``pause`` is the pause of a function, a
    tag or everything that holds it; ``note`` says in words what an operator may not expect.

    A band has more ``starts`` than one: those of a frequent cron ticker from the ``moment`` to the ``last``,
    which is None where it is not known. ``every`` is the time between its first ones, or None where that
    differs. ``marks`` says where there are some: the first start in each hundredth of the window, or each
    start of up to a hundred. It is empty where ``every`` holds throughout.
    """

    moment: datetime
    run_id: UUID | None
    cron_ticker_id: UUID | None
    kind: TickerKind
    function: str
    description: str | None
    delay: timedelta = timedelta(0)
    pause: Pause | None = None
    is_held: bool = False
    is_skipped: bool = False
    note: str | None = None
    starts: int = 1
    every: timedelta | None = None
    last: datetime | None = None
    marks: tuple[datetime, ...] = ()

    @property
    def is_band(self) -> bool:
        """Whether it stands for many starts of a cron ticker."""
        return self.starts > 1

    @property
    def is_computed(self) -> bool:
        """Whether it is an instant for which nothing is stored yet."""
        return self.run_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook(Sequence[OutlookItem]):
    """What is to come from ``since`` on and before ``until``, in the order of its moments, as a sequence.

    ``since`` is None where it begins with what is due already. All that lies before ``complete_until`` is in
    it. That is ``until`` itself, unless the answer was ``truncated`` by the limit of items or by the time it
    may take. ``leaves_out_held`` says that more cron tickers wait for the end of a pause, or have skipped
    instants, than were looked at.

    A page ``by_first_start`` that is not the last has a ``next_cursor``, with which the next one begins, and
    ``crons_left`` says how many cron tickers the next pages have, counted up to 10,000.
    """

    items: tuple[OutlookItem, ...]
    since: datetime | None
    until: datetime
    complete_until: datetime
    truncated: Bound | None
    leaves_out_held: bool
    next_cursor: str | None = None
    crons_left: int = 0

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[OutlookItem]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> OutlookItem: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[OutlookItem, ...]: ...

    def __getitem__(self, index: int | slice) -> OutlookItem | tuple[OutlookItem, ...]:
        return self.items[index]
