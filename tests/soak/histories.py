"""Histories for the checker's tests: two that are right, and what makes others of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.inner import LOST, TAKEN_REASON, UNMET_REASON, Misfire
from tests.soak.history import History
from tests.soak.traces import (
    Added,
    AttemptRow,
    Calm,
    Certainty,
    CronSpan,
    Ended,
    Occurrence,
    RunRow,
    SkipRecord,
    Started,
)
from tickerq_celery.enums import HoldReason, OverlapPolicy, RunCondition, TickerStatus
from tickerq_celery.tickers.skip_reasons import misfire_reason
from tickerq_celery.tickers.tallies import Tally, TallyKey

START = datetime(2024, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DONE, FAILED, SKIPPED = TickerStatus.DONE, TickerStatus.FAILED, TickerStatus.SKIPPED
CRON = UUID(int=900)


def at(seconds: float) -> datetime:
    return START + seconds * SECOND


def ticker_id(serial: int) -> UUID:
    return UUID(int=serial)


def added(serial: int, **fields: Any) -> Added:
    values = {"ticker_id": ticker_id(serial), "certainty": Certainty.COMMITTED, "due": START, **fields}
    return Added(serial=serial, **values)


def row(number: int, **fields: Any) -> RunRow:
    values: dict[str, Any] = {
        "id": ticker_id(number),
        "serial": number,
        "function": "Work",
        "status": DONE,
        "claim_no": 1,
        "retry_count": 0,
        "rescue_count": 0,
    }
    return RunRow(**values | fields)


def started(serial: int, claim_no: int, seconds: float, function: str = "Work") -> Started:
    return Started(
        ticker_id=ticker_id(serial),
        claim_no=claim_no,
        pid=7,
        at=at(seconds),
        function=function,
    )


def ended(serial: int, claim_no: int, seconds: float, *, has_failed: bool = False) -> Ended:
    return Ended(
        ticker_id=ticker_id(serial),
        claim_no=claim_no,
        pid=7,
        at=at(seconds),
        has_failed=has_failed,
    )


def attempt(
    serial: int,
    claim_no: int,
    number: int,
    begun: float,
    over: float,
    status: TickerStatus = DONE,
    **fields: Any,
) -> AttemptRow:
    return AttemptRow(
        ticker_id=ticker_id(serial),
        claim_no=claim_no,
        number=number,
        status=status,
        started_at=at(begun),
        ended_at=at(over),
        **fields,
    )


def occurrence(serial: int, seconds: float) -> Occurrence:
    return Occurrence(run_id=ticker_id(serial), cron_id=CRON, instant=at(seconds))


def skip(serial: int, first: float, last: float, count: int) -> SkipRecord:
    return SkipRecord(run_id=ticker_id(serial), cron_id=CRON, first=at(first), last=at(last), count=count)


def missed_row(serial: int, first: float, last: float, *, policy: str = "run_once") -> RunRow:
    """Return the row that records the missed instants, one a second, as the product writes it."""
    misfire = Misfire(first=at(first), last=at(last), count=round(last - first) + 1, count_is_exact=True)
    return row(
        serial, serial=None, status=SKIPPED, claim_no=0, skipped_reason=misfire_reason(misfire, policy)
    )


def without(history: History, field: str, **wanted: Any) -> History:
    """Return a history without those values of a field that have the wanted attributes."""
    kept = [
        each
        for each in getattr(history, field)
        if any(getattr(each, name) != value for name, value in wanted.items())
    ]
    return _with(history, field, kept)


def changed(history: History, field: str, changes: dict[str, Any], **wanted: Any) -> History:
    """Return a history with changes to those values of a field that have the wanted attributes."""
    values = [
        replace(each, **changes)
        if all(getattr(each, name) == value for name, value in wanted.items())
        else each
        for each in getattr(history, field)
    ]
    assert values != list(getattr(history, field))
    return _with(history, field, values)


def more(history: History, field: str, *values: object) -> History:
    """Return a history with more values of a field."""
    return _with(history, field, [*getattr(history, field), *values])


def _with(history: History, field: str, values: list[Any]) -> History:
    parts: dict[str, Any] = {field: tuple(values)}
    return replace(history, **parts)


# Ticker 1 is plain. 2 fails once, is lost once, then is done. 3 fails for good. 4 is rolled back, 5 unknown
# and not there, 6 unknown and there. 10 to 14 are what a cron ticker made of six instants.
VALID = History(
    added=(
        added(1),
        added(2, fails=1, retries=2),
        added(3, fails=3, retries=1),
        added(4, certainty=Certainty.ROLLED_BACK),
        added(5, certainty=Certainty.UNKNOWN, ticker_id=None),
        added(6, certainty=Certainty.UNKNOWN, ticker_id=None),
    ),
    started=(
        started(1, 1, 1),
        started(2, 1, 1), started(2, 2, 3), started(2, 4, 8),
        started(3, 1, 1), started(3, 2, 3),
        started(6, 1, 1),
        started(10, 1, 1), started(13, 1, 4),
    ),
    ended=(
        ended(1, 1, 2),
        ended(2, 1, 2, has_failed=True), ended(2, 4, 9),
        ended(3, 1, 2, has_failed=True), ended(3, 2, 4, has_failed=True),
        ended(6, 1, 2),
        ended(10, 1, 2), ended(13, 1, 5),
    ),
    runs=(
        row(1),
        row(2, claim_no=4, retry_count=1, rescue_count=1),
        row(3, status=FAILED, claim_no=2, retry_count=1),
        row(6),
        row(10, serial=None), missed_row(11, 2, 3), row(13, serial=None),
        row(14, serial=None, status=TickerStatus.IDLE, claim_no=0, held_for=HoldReason.PAUSED),
    ),
    attempts=(
        attempt(1, 1, 0, 1, 2),
        attempt(2, 1, 0, 1, 2, FAILED, exception_type="PlannedFailure"),
        attempt(2, 2, 1, 3, 6, FAILED, exception_type=LOST),
        attempt(2, 4, 2, 8, 9),
        attempt(3, 1, 0, 1, 2, FAILED, exception_type="PlannedFailure"),
        attempt(3, 2, 1, 3, 4, FAILED, exception_type="PlannedFailure"),
        attempt(6, 1, 0, 1, 2),
        attempt(10, 1, 0, 1, 2), attempt(13, 1, 0, 4, 5),
    ),
    crons=(CronSpan(cron_id=CRON, first=at(1), until=at(5), step=SECOND),),
    occurrences=(occurrence(10, 1), occurrence(13, 4), occurrence(14, 5)),
    skips=(skip(11, 2, 3, 2),),
)  # fmt: skip

# The same, where the cron ticker skips an instant as the occurrence before it has not ended.
OVERLAPPING = replace(
    changed(
        VALID,
        "runs",
        {"status": SKIPPED, "claim_no": 0, "skipped_reason": TAKEN_REASON},
        id=ticker_id(13),
    ),
    crons=(CronSpan(cron_id=CRON, first=at(1), until=at(5), step=SECOND, overlap=OverlapPolicy.SKIP),),
    started=without(VALID, "started", ticker_id=ticker_id(13)).started,
    ended=without(VALID, "ended", ticker_id=ticker_id(13)).ended,
    attempts=without(VALID, "attempts", ticker_id=ticker_id(13)).attempts,
)

# The same, with three bodies of a function of which two may run at once.
LIMITED = replace(
    more(
        VALID,
        "started",
        started(21, 1, 0, "Limited"),
        started(22, 1, 1, "Limited"),
        started(23, 1, 3, "Limited"),
    ),
    added=(*VALID.added, added(21), added(22), added(23)),
    ended=(*VALID.ended, ended(21, 1, 2), ended(22, 1, 4), ended(23, 1, 5)),
    runs=(*VALID.runs, row(21, function="Limited"), row(22, function="Limited"), row(23, function="Limited")),
    attempts=(*VALID.attempts, attempt(21, 1, 0, 0, 2), attempt(22, 1, 0, 1, 4), attempt(23, 1, 0, 3, 5)),
    limits={"Limited": 2},
)

# The same, where each key of the function may have one: two bodies of one key, one of another.
KEYED = replace(
    LIMITED,
    limits={},
    key_limits={"Limited": 1},
    runs=tuple(
        replace(each, key={21: "eu", 22: "us", 23: "eu"}.get(each.serial or 0)) for each in LIMITED.runs
    ),
)


# The same, with a chain: 31 is done, so 32 runs, 33 begins beside it, and 34 is skipped with its child 35.
CHAIN = replace(
    VALID,
    added=(
        *VALID.added,
        added(31),
        added(32, follows=31, condition=RunCondition.ON_SUCCESS),
        added(33, follows=31, condition=RunCondition.IN_PROGRESS),
        added(34, follows=31, condition=RunCondition.ON_FAILURE),
        added(35, follows=34),
    ),
    started=(*VALID.started, started(31, 1, 1), started(32, 1, 4), started(33, 1, 2)),
    ended=(*VALID.ended, ended(31, 1, 3), ended(32, 1, 5), ended(33, 1, 3)),
    runs=(
        *VALID.runs,
        row(31),
        row(32, parent_id=ticker_id(31)),
        row(33, parent_id=ticker_id(31)),
        row(34, parent_id=ticker_id(31), status=SKIPPED, claim_no=0, skipped_reason=UNMET_REASON),
        row(35, parent_id=ticker_id(34), status=SKIPPED, claim_no=0, skipped_reason=UNMET_REASON),
    ),
    attempts=(*VALID.attempts, attempt(31, 1, 0, 1, 3), attempt(32, 1, 0, 4, 5), attempt(33, 1, 0, 2, 3)),
)


def tally_of(ends: int) -> Tally:
    return Tally(ends=ends, late=0, retried=0, published=0, first_ended_at=at(1), last_ended_at=at(2))


# The same, whose ends are counted.
HOUR_OF_SENDS = TallyKey("soak", 60, START, "Work", 1, "function", DONE, "")
COUNTED = replace(VALID, rolled_up={HOUR_OF_SENDS: tally_of(1)}, recounted={HOUR_OF_SENDS: tally_of(1)})


def calm(since: float, **fields: Any) -> History:
    """Return the valid history as one whose faults end at a second, and in which no run waits over 4 s."""
    return replace(VALID, calm=Calm(since=at(since), longest_wait=4 * SECOND, **fields))
