"""What a pause is of, and what it covers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tickerq_celery import TickerStatus
from tickerq_celery.enums import PauseKind
from tickerq_celery.views import FunctionView, Pause
from tickerq_dashboard.reading.reader import Reader, or_none

MOST_CRONS, MOST_RUNS = 100, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How many cron tickers fire, runs wait and runs go on; None where that is too much to count."""

    crons: int | None
    waiting: int | None
    claimed: int | None


def pause_of(pauses: Iterable[Pause], kind: str, name: str) -> Pause | None:
    """Return the pause of exactly this, or None."""
    return next((each for each in pauses if (each.kind, each.name) == (kind, name)), None)


def covered_by(reader: Reader, kind: str, name: str) -> Covered:
    """Return what a pause of this covers at present."""
    filters: Mapping[str, Any] = {} if kind == PauseKind.EVERYTHING else {kind: name}
    runs, crons = reader.tickerq.runs, reader.tickerq.cron_tickers

    def count(*statuses: TickerStatus) -> int | None:
        return or_none(lambda: runs.count(status=statuses, limit=MOST_RUNS, **filters))

    def read() -> Covered:
        firing = or_none(lambda: crons.by_next_run(is_enabled=True, limit=MOST_CRONS, **filters))
        return Covered(
            crons=None if firing is None else len(firing),
            waiting=count(TickerStatus.IDLE),
            claimed=count(TickerStatus.QUEUED, TickerStatus.IN_PROGRESS),
        )

    return reader.cached(("covered", kind, name), read)


def known_function(reader: Reader, name: str) -> FunctionView | None:
    """Return a function that has a page; a Celery task has none."""
    return or_none(lambda: reader.tickerq.functions.get(name))
