"""What is active is counted by indexes that hold nothing else, to a bound and no further."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from tests.inner import Core, failed, succeeded
from tests.integration.apps import fire_crons
from tests.integration.making import (
    claim,
    enrolled,
    failure,
    finish,
    make_run,
    make_runs,
    runs,
    started,
)
from tests.manual_clock import START, ManualClock
from tests.statements import run_counts
from tickerq_celery import CronTicker, TickerQ, TimeTicker
from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.views import Count, RunCounts

HOUR = timedelta(hours=1)
NOTHING = Count(0)
NONE = dict.fromkeys(HoldReason, NOTHING)
# The searches of indexes that hold active runs alone; the namespace's other one holds all of its history.
SPARSE = re.compile(
    r"SEARCH tickerq_tickers USING (COVERING )?INDEX ix_tickerq_tickers_"
    r"(running_on|check_at|held_for|namespace_due_at \(namespace=\? AND due_at)"
)


@pytest.fixture
def busy(core: Core, clock: ManualClock) -> Core:
    """A namespace with some of everything: seven that are active, and three that have ended."""
    enrolled(core)
    for outcome in (succeeded, failed, succeeded):
        run = started(core, make_run(core))
        given = () if outcome is succeeded else (failure(),)
        assert finish(core, run, outcome(run.standing, *given))
    started(core, make_run(core))
    make_run(core)
    assert len(claim(core)) == 1
    make_run(core, execution_time=START + 9 * HOUR)
    child = TimeTicker(function="Send", execution_time=START + 9 * HOUR)
    make_run(core, execution_time=START + 8 * HOUR, children=[child])
    make_run(core)
    clock.advance(minutes=5)
    make_run(core)
    return core


@pytest.mark.every_database
def test_each_active_run_is_counted_in_one_place(busy: Core, clock: ManualClock) -> None:
    assert runs(busy).counts() == RunCounts(
        at=clock.now(),
        in_progress=Count(1),
        queued=Count(1),
        published=NOTHING,
        due=Count(2),
        due_since=START,
        scheduled=Count(2),
        held={**NONE, HoldReason.PARENT: Count(1)},
    )
    assert runs(busy).counts().lag == timedelta(minutes=5)


@pytest.mark.every_database
def test_cron_tickers_that_no_beat_fires_are_counted_with_the_moment_of_the_first(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    for expression in ("0 */2 * * * *", "0 */5 * * * *", "0 0 * * * *"):
        tickerq.cron_tickers.add(CronTicker(function="Send", expression=expression))
    paused = tickerq.cron_tickers.add(CronTicker(function="Send", expression="0 * * * * *"))
    tickerq.cron_tickers.pause(paused.id)
    clock.advance(minutes=6)
    found = tickerq.runs.counts()
    assert (found.due_crons, found.due_crons_since) == (Count(2), START + timedelta(minutes=2))
    assert found.crons_lag == timedelta(minutes=4)
    fire_crons(tickerq)
    assert (tickerq.runs.counts().due_crons, tickerq.runs.counts().crons_lag) == (NOTHING, timedelta(0))


def test_where_nothing_is_active_nothing_is_counted(core: Core) -> None:
    found = runs(core).counts()
    numbers = (found.in_progress, found.queued, found.published, found.due, found.scheduled)
    assert numbers == (NOTHING,) * 5
    assert (found.held, found.due_since, found.lag) == (NONE, None, timedelta(0))


def test_what_another_namespace_has_is_not_counted(busy: Core, make_core: Callable[..., Core]) -> None:
    assert runs(make_core(namespace="another")).counts().held == NONE


def test_numbers_end_at_the_bound_and_say_so(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    make_runs(core, 4, execution_time=START + HOUR)
    monkeypatch.setattr(run_counts, "MOST_COUNTED", 3)
    assert runs(core).counts().scheduled == Count(3)
    assert (str(Count(9_999)), Count(9_999).or_more) == ("9,999", False)
    assert (str(Count(10_000)), Count(10_000).or_more) == ("10,000+", True)


ACTIVE = (TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([TickerStatus.IDLE], 5),
        ([TickerStatus.QUEUED], 1),
        ([TickerStatus.IN_PROGRESS], 1),
        (ACTIVE, 7),
        ([TickerStatus.QUEUED, TickerStatus.FAILED], 2),
        ([TickerStatus.IDLE, TickerStatus.DONE, TickerStatus.FAILED], 8),
    ],
    ids=str,
)
def test_runs_are_found_and_counted_by_what_is_set_in_their_status(
    busy: Core, statuses: list[TickerStatus], expected: int
) -> None:
    found = runs(busy).find(status=statuses)
    assert len(found) == runs(busy).count(status=statuses) == expected
    assert {run.status for run in found} == set(statuses)
    assert [run.id for run in found] == sorted((run.id for run in found), reverse=True)


def test_a_count_of_several_parts_ends_at_its_limit(busy: Core) -> None:
    assert runs(busy).count(status=ACTIVE, limit=6) == 6


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "filters",
    [None, *({"status": each} for each in ACTIVE), {"status": ACTIVE}, {"held_for": "paused"}],
    ids=str,
)
def test_sqlite_reads_no_history_to_count_what_is_active(busy: Core, filters: dict[str, Any] | None) -> None:
    manager = runs(busy)
    asked = manager.counts if filters is None else lambda: manager.count(**filters)
    plans = plans_of(busy, asked)
    assert plans
    assert [line for line in plans if "tickerq_tickers" in line and not SPARSE.match(line)] == []


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("status", [TickerStatus.QUEUED, TickerStatus.IN_PROGRESS])
def test_sqlite_reads_no_history_to_find_what_is_claimed(busy: Core, status: TickerStatus) -> None:
    plans = plans_of(busy, lambda: runs(busy).find(status=status))
    assert any(SPARSE.match(line) for line in plans)
    assert [line for line in plans if "SCAN tickerq_tickers" in line] == []


def plans_of(core: Core, read: Callable[[], object]) -> list[str]:
    """Return SQLite's plans of what a read sends."""
    sent: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    engine = core.reader.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        read()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    with core.database.engine.connect() as connection:
        return [
            row.detail
            for statement, parameters in sent
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
