"""What a pause is of, and what it covers."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tickerq_celery import TickerStatus
from tickerq_celery.enums import CLAIMED, PauseKind
from tickerq_celery.views import CronSummary, FunctionView, Pause, RunSummary
from tickerq_dashboard.reading.reader import Reader, or_none

MOST_CRONS, MOST_RUNS = 100, 10_000
# So many held runs, runs to come and cron tickers are looked at for other pauses.
LOOKED_AT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How many cron tickers fire, runs wait and runs go on; None where that is too much to count."""

    crons: int | None
    waiting: int | None
    claimed: int | None


def pause_of(pauses: Iterable[Pause], kind: str, name: str) -> Pause | None:
    """Return the pause of exactly this, or None."""
    return next((each for each in pauses if (each.kind, each.name) == (kind, name)), None)


def pause_of_tag(reader: Reader, tag: str) -> Pause | None:
    """Return the pause of a tag that a list is asked for, or None, also where it is asked for no tag."""
    return pause_of(reader.pauses(), PauseKind.TAG, tag) if tag else None


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
            claimed=count(*CLAIMED),
        )

    return reader.cached(("covered", kind, name), read)


def held_under(reader: Reader, keys: Collection[str]) -> int | None:
    """Return how many runs pauses hold under these keys, up to ``MOST_RUNS``; None where that is too much."""
    return or_none(lambda: reader.tickerq.runs.count(held_for="paused", hold_key=keys, limit=MOST_RUNS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """What holds on when a pause ends: other pauses, and how many cron tickers are paused on their own.

    ``is_all`` says that nothing of it runs; else some of it does not.
    """

    pauses: tuple[Pause, ...]
    crons: int = 0
    is_all: bool = False


def still_over(reader: Reader, pause: Pause, pauses: Iterable[Pause]) -> Still:
    """Return which of ``pauses`` hold some of what one of them holds, as far as the first rows show."""
    crons, runs = _held_by(reader, pause)
    held: list[RunSummary | CronSummary] = [*crons, *runs]
    found = [each for each in pauses if each.key != pause.key and _is_over(each, pause, held)]
    return Still(
        pauses=tuple(found),
        crons=sum(not each.is_enabled for each in crons),
        is_all=any(each.kind is PauseKind.EVERYTHING for each in found),
    )


def _is_over(other: Pause, pause: Pause, held: Iterable[RunSummary | CronSummary]) -> bool:
    if PauseKind.EVERYTHING in {other.kind, pause.kind}:
        return True
    return any(other.covers(each.function, each.tags) for each in held)


def _held_by(reader: Reader, pause: Pause) -> tuple[list[CronSummary], list[RunSummary]]:
    runs, crons = reader.tickerq.runs, reader.tickerq.cron_tickers
    if pause.kind is PauseKind.EVERYTHING:
        return list(or_none(lambda: crons.by_name(is_enabled=False, limit=LOOKED_AT)) or ()), []
    filters: Mapping[str, Any] = {pause.kind.value: pause.name}
    held = or_none(lambda: runs.active(held_for="paused", limit=LOOKED_AT, **filters)) or ()
    coming = or_none(lambda: runs.upcoming(limit=LOOKED_AT, **filters)) or ()
    return list(or_none(lambda: crons.by_name(limit=LOOKED_AT, **filters)) or ()), [*held, *coming]


def known_function(reader: Reader, name: str) -> FunctionView | None:
    """Return a function that has a page; a Celery task has none."""
    return or_none(lambda: reader.tickerq.functions.get(name, with_figures=False))
