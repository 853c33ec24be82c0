"""Firing: one occurrence for each instant of a cron ticker, whichever beats look, whatever was missed."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import IntegrityError

from tests.inner import TAKEN_REASON, Core, Transaction, succeeded
from tests.integration.conftest import send
from tests.integration.cron.firing import alter, fire, instants
from tests.integration.making import (
    ON_SERVERS,
    at_once,
    claim,
    cron_row_of,
    crons,
    enrolled,
    finish,
    locked_cron,
    make_cron,
    occurrences_of,
    processes,
    started,
)
from tests.manual_clock import START, ManualClock, at
from tests.statements import overlaps, runs
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerPriority, TickerStatus, TickerType
from tickerq_celery.store.cron.due_crons import lock_late
from tickerq_celery.tickers.run_rows import occurrence_row

MINUTE = timedelta(minutes=1)

MakeCore = Callable[..., Core]


def test_an_instant_gets_its_occurrence_when_it_has_come(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.advance(minutes=59, seconds=59)
    fire(core)
    assert instants(core, cron_id) == []
    clock.advance(seconds=1)
    fire(core)
    assert instants(core, cron_id) == [at(13)]
    row = cron_row_of(core, cron_id)
    assert (row.next_run_at, row.last_run_at) == (at(14), at(13))


def test_an_occurrence_and_the_step_to_the_next_instant_commit_together(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core)
    clock.advance(hours=1)
    commits: list[Connection] = []
    event.listen(core.database.engine, "commit", commits.append)
    fire(core)
    assert len(commits) == 1
    assert instants(core, cron_id) == [at(13)]
    assert cron_row_of(core, cron_id).next_run_at == at(14)


def test_looking_again_creates_nothing_more(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.advance(hours=1)
    fire(core)
    fire(core)
    assert instants(core, cron_id) == [at(13)]


def test_an_occurrence_is_what_its_cron_ticker_says(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(
        core,
        request={"list": "daily"},
        description="Digest",
        retries=3,
        retry_intervals=[60, 300],
        priority=TickerPriority.HIGH,
        queue="mail",
        tags=["digest"],
    )
    clock.advance(hours=1, seconds=2)
    fire(core)
    (row,) = occurrences_of(core, cron_id)
    assert (row.function, row.description, row.request) == ("Send", "Digest", b'{"list":"daily"}')
    assert (row.retries, row.retry_intervals, row.priority) == (3, (MINUTE, 5 * MINUTE), TickerPriority.HIGH)
    assert (row.queue, row.tags, row.type) == ("mail", ["digest"], TickerType.CRON_TICKER_OCCURRENCE)
    assert (row.execution_time, row.due_at, row.claim_no) == (at(13), at(13), 0)


@pytest.mark.row_locks
def test_beats_that_fire_at_once_create_one_occurrence_for_each_instant(
    core: Core, clock: ManualClock
) -> None:
    ids = [make_cron(core) for _ in range(120)]
    with processes(core, 3) as beats:
        for _ in range(3):
            clock.advance(hours=1)
            at_once(*(lambda beat=beat: fire(beat) for beat in beats))
    fire(core)
    assert {tuple(instants(core, cron_id)) for cron_id in ids} == {(at(13), at(14), at(15))}


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_beat_passes_over_cron_tickers_that_another_has_locked(core: Core, clock: ManualClock) -> None:
    ids = [make_cron(core) for _ in range(5)]
    clock.advance(hours=1, seconds=1)

    def lock_then_fire(tx: Transaction) -> set[UUID]:
        locked = lock_late(tx, late_after=timedelta(0), limit=2)
        fire(core)
        return {row.id for row in locked}

    locked = core.write(lock_then_fire)
    assert {cron_id for cron_id in ids if not occurrences_of(core, cron_id)} == locked
    fire(core)
    assert all(instants(core, cron_id) == [at(13)] for cron_id in ids)


def test_an_instant_that_has_its_occurrence_gets_no_second_one(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    crons(core).pause(cron_id)
    clock.advance(hours=1, minutes=1)
    crons(core).backfill(cron_id, at(13), at(13, 1))
    crons(core).resume(cron_id, missed=True)
    assert cron_row_of(core, cron_id).next_run_at == at(13)
    fire(core)
    assert instants(core, cron_id) == [at(13)]
    assert cron_row_of(core, cron_id).next_run_at == at(14)


def test_the_database_refuses_a_second_occurrence_of_an_instant(core: Core, clock: ManualClock) -> None:
    cron = locked_cron(core, make_cron(core))
    rows = [occurrence_row(cron, instant=at(13), now=START) for _ in range(2)]
    with pytest.raises(IntegrityError):
        core.write(runs.insert, rows)


def test_beats_that_step_back_in_time_fire_no_instant_twice(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.advance(hours=1)
    fire(core)
    clock.set(START)
    fire(core)
    clock.set(at(13))
    fire(core)
    assert instants(core, cron_id) == [at(13)]


@pytest.mark.parametrize(
    ("policy", "run", "skipped"),
    [
        (MisfirePolicy.RUN_ONCE, [at(16)], "Missed: 3 instants from 2026-01-15T13:00"),
        (MisfirePolicy.RUN_ALL, [at(13), at(14), at(15), at(16)], None),
        (MisfirePolicy.SKIP, [], "Missed: 4 instants from 2026-01-15T13:00"),
    ],
)
def test_after_an_outage_the_policy_decides_what_runs_and_one_record_says_what_was_missed(
    core: Core, clock: ManualClock, policy: MisfirePolicy, run: list[datetime], skipped: str | None
) -> None:
    cron_id = make_cron(core, misfire=policy)
    clock.advance(hours=4, minutes=30)
    fire(core)
    assert instants(core, cron_id) == run
    reasons = [row.skipped_reason for row in occurrences_of(core, cron_id) if row.skipped_reason]
    assert len(reasons) == (skipped is not None)
    assert all(reason.startswith(skipped) and policy.value in reason for reason in reasons)
    assert cron_row_of(core, cron_id).next_run_at == at(17)


def test_run_all_runs_the_latest_up_to_the_limit(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL, misfire_limit=2)
    clock.advance(days=365)
    fire(core)
    assert len(instants(core, cron_id)) == 2
    assert len(instants(core, cron_id, TickerStatus.SKIPPED)) == 1


def test_instants_older_than_the_grace_do_not_run(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL, misfire_grace=5400)
    clock.advance(hours=4, minutes=15)
    fire(core)
    assert instants(core, cron_id) == [at(15), at(16)]


def test_each_outage_has_its_own_record(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.SKIP)
    for _ in range(2):
        clock.advance(hours=3, minutes=10)
        fire(core)
    records = [row for row in occurrences_of(core, cron_id) if row.status is TickerStatus.SKIPPED]
    assert sorted(row.execution_time for row in records) == [at(13), at(16)]


def test_an_occurrence_is_skipped_while_an_earlier_one_runs_if_its_cron_ticker_says_so(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, overlap=OverlapPolicy.SKIP)
    enrolled(core)
    clock.advance(hours=1)
    fire(core)
    run = started(core, occurrences_of(core, cron_id)[0].id)
    clock.advance(hours=1)
    fire(core)
    _, second = occurrences_of(core, cron_id)
    assert (second.status, second.skipped_reason) == (TickerStatus.SKIPPED, TAKEN_REASON)
    finish(core, run, succeeded(run.standing))
    clock.advance(hours=1)
    fire(core)
    assert instants(core, cron_id) == [at(15)]


def test_of_instants_that_fall_due_together_the_first_runs_where_none_may_overlap(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, overlap=OverlapPolicy.SKIP, misfire=MisfirePolicy.RUN_ALL)
    clock.advance(hours=3)
    fire(core)
    assert instants(core, cron_id) == [at(13)]
    assert instants(core, cron_id, TickerStatus.SKIPPED) == [at(14), at(15)]


def test_the_database_keeps_two_occurrences_from_overlapping(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron_id = make_cron(core, overlap=OverlapPolicy.SKIP)
    clock.advance(hours=1)
    fire(core)
    clock.advance(hours=1)
    monkeypatch.setattr(overlaps, "state", lambda *_: overlaps.OverlapState())
    fire(core)
    assert instants(core, cron_id) == [at(13)]


def test_occurrences_overlap_where_nothing_forbids_it(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    for _ in range(2):
        clock.advance(hours=1)
        fire(core)
    assert instants(core, cron_id) == [at(13), at(14)]


@pytest.mark.parametrize(
    "broken",
    [
        {"expression": "nonsense"},
        {"expression": "0 0 31 2 *"},
        {"expression": "@every now and then"},
        {"exclude": ["Christmas"]},
        {"time_zone": "Mars/Olympus"},
        {"misfire": "run_some"},
    ],
)
def test_a_cron_ticker_that_cannot_be_read_stops_alone_and_says_so(
    core: Core, clock: ManualClock, caplog: pytest.LogCaptureFixture, broken: dict[str, str]
) -> None:
    bad, good = make_cron(core), make_cron(core)
    alter(core, bad, **broken)
    clock.advance(hours=1)
    with caplog.at_level(logging.ERROR):
        fire(core)
    assert instants(core, bad) == []
    assert cron_row_of(core, bad).next_run_at is None
    assert str(bad) in caplog.text
    assert instants(core, good) == [at(13)]


def test_a_paused_cron_ticker_does_not_fire(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    crons(core).pause(cron_id)
    clock.advance(hours=1)
    fire(core)
    assert occurrences_of(core, cron_id) == []


def test_a_beat_fires_in_its_own_namespace_only(
    make_core: MakeCore, clock: ManualClock, namespace: str
) -> None:
    core = make_core(send())
    cron_id = make_cron(core)
    clock.advance(hours=1)
    fire(make_core(send(), namespace=f"{namespace}-b"))
    assert occurrences_of(core, cron_id) == []


def test_a_deleted_cron_ticker_takes_its_occurrences_with_it(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    clock.advance(hours=1)
    fire(core)
    claim(core)
    crons(core).delete(cron_id)
    assert occurrences_of(core, cron_id) == []
