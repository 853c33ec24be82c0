"""Policies within bounds: whatever steers a cron ticker, nothing fires outside them."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.inner import Core, succeeded
from tests.integration.cron.firing import fire, instants
from tests.integration.making import (
    claim,
    cron_row_of,
    crons,
    enrolled,
    finish,
    make_cron,
    occurrences_of,
    row_of,
    started,
)
from tests.manual_clock import START, ManualClock, at
from tests.missed import missed
from tickerq_celery import CronTicker
from tickerq_celery.cron.rescheduling import BOUNDED_REASON
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerStatus
from tickerq_celery.errors import TickerStateError

HOUR = timedelta(hours=1)
TODAY = date(2026, 1, 15)


def next_of(core: Core, cron_id: UUID) -> datetime | None:
    next_run_at: datetime | None = cron_row_of(core, cron_id).next_run_at
    return next_run_at


def test_skip_next_goes_on_within_the_bounds_and_not_past_them(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, end_at=at(23), exclude=[TODAY])
    other_id = make_cron(core, end_at=at(14))
    clock.set(at(12))
    assert next_of(core, cron_id) is None
    assert crons(core).skip_next(other_id).next_run_at == at(14)
    assert crons(core).skip_next(other_id).next_run_at is None
    with pytest.raises(TickerStateError):
        crons(core).skip_next(other_id)
    tomorrow = make_cron(core, "0 22-23 * * *", exclude=[date(2026, 1, 16)])
    crons(core).skip_next(tomorrow)
    assert crons(core).skip_next(tomorrow).next_run_at == at(22, day=17)


def test_neither_skip_next_nor_run_now_nor_a_backfill_uses_up_a_run(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, max_runs=1)
    crons(core).skip_next(cron_id)
    crons(core).run_now(cron_id)
    assert len(crons(core).backfill(cron_id, START - 3 * HOUR, START)) == 3
    assert crons(core).get(cron_id).run_count == 0
    clock.set(at(14))
    fire(core)
    assert at(14) in instants(core, cron_id)
    cron = crons(core).get(cron_id)
    assert (cron.run_count, cron.next_run_at) == (1, None)
    assert len(crons(core).backfill(cron_id, START - 4 * HOUR, START)) == 1


@pytest.mark.parametrize(
    ("bounds", "wanted"),
    [
        ({"start_at": at(9)}, [9, 10, 11]),
        ({"end_at": at(10)}, [8, 9, 10]),
        ({"start_at": at(9, 1), "end_at": at(10, 59)}, [10]),
        ({"exclude": [TODAY]}, []),
        ({}, [8, 9, 10, 11]),
    ],
    ids=str,
)
def test_a_backfill_stays_within_the_bounds(
    core: Core, clock: ManualClock, bounds: dict[str, Any], wanted: list[int]
) -> None:
    cron_id = make_cron(core, **bounds)
    crons(core).backfill(cron_id, at(8), at(12))
    assert [instant.hour for instant in instants(core, cron_id)] == wanted


def test_a_backfill_of_an_interval_has_the_instants_since_its_start(core: Core, clock: ManualClock) -> None:
    ticker = CronTicker(function="Send", every=HOUR, start_at=at(9, 30))
    cron_id = crons(core).add(ticker, allow_unknown=True).id
    assert len(crons(core).backfill(cron_id, at(0), at(12))) == 3
    assert instants(core, cron_id) == [at(9, 30), at(10, 30), at(11, 30)]


@pytest.mark.parametrize("take_missed", [False, True])
def test_a_resumption_after_the_end_starts_nothing_anew(
    core: Core, clock: ManualClock, take_missed: bool
) -> None:
    cron_id = make_cron(core, end_at=at(14), misfire=MisfirePolicy.RUN_ALL)
    crons(core).pause(cron_id)
    clock.set(at(18))
    crons(core).resume(cron_id, missed=take_missed)
    fire(core)
    assert next_of(core, cron_id) is None
    assert instants(core, cron_id) == ([at(13), at(14)] if take_missed else [])
    records = [record for row in occurrences_of(core, cron_id) if (record := missed(row.skipped_reason))]
    assert [(each.first, each.last, each.count) for each in records] == (
        [] if take_missed else [(at(13), at(14), 2)]
    )


def test_a_resumption_starts_no_more_runs_than_are_left(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, max_runs=2, misfire=MisfirePolicy.RUN_ALL)
    crons(core).pause(cron_id)
    clock.set(at(18))
    crons(core).resume(cron_id, missed=True)
    fire(core)
    assert instants(core, cron_id) == [at(13), at(14)]
    assert next_of(core, cron_id) is None


@pytest.mark.parametrize(
    ("before", "change", "expected"),
    [
        ({"end_at": at(13)}, {"end_at": at(20)}, at(17)),
        ({"max_runs": 1}, {"max_runs": 2}, at(17)),
        ({}, {"end_at": at(14)}, at(14)),
        ({}, {"start_at": at(19, 30)}, at(20)),
        ({}, {"exclude": [TODAY]}, at(0, day=16)),
        ({}, {"max_runs": 1}, None),
        ({"start_at": at(22)}, {"start_at": at(9)}, at(17)),
    ],
    ids=str,
)
def test_new_bounds_are_for_what_has_not_fired_yet(
    core: Core, clock: ManualClock, before: dict[str, Any], change: dict[str, Any], expected: datetime | None
) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL, **before)
    clock.set(at(13))
    fire(core)
    clock.set(at(16, 30))  # 14:00 to 16:00 have not fired
    cron = crons(core).update(cron_id, **change)
    assert cron.next_run_at == expected


@pytest.mark.parametrize("change", [{"end_at": at(20)}, {"max_runs": 9}, {"exclude": [date(2026, 1, 16)]}])
def test_an_instant_that_is_due_when_the_bounds_change_fires_all_the_same(
    core: Core, clock: ManualClock, change: dict[str, Any]
) -> None:
    cron_id = make_cron(core)
    clock.set(at(13))
    crons(core).update(cron_id, **change)
    fire(core)
    assert instants(core, cron_id) == [at(13)]
    assert next_of(core, cron_id) == at(14)


@pytest.mark.parametrize(
    ("change", "is_left"),
    [({"end_at": at(13)}, True), ({"end_at": at(12, 30)}, False), ({"exclude": [TODAY]}, False)],
    ids=str,
)
def test_what_is_unclaimed_is_skipped_where_new_bounds_leave_it_out(
    core: Core, clock: ManualClock, change: dict[str, Any], is_left: bool
) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    clock.set(at(13))
    fire(core)
    crons(core).update(cron_id, **change)
    (row,) = occurrences_of(core, cron_id)
    assert (row.status, row.skipped_reason) == (
        (TickerStatus.IDLE, None) if is_left else (TickerStatus.SKIPPED, BOUNDED_REASON)
    )
    assert len(claim(core)) == is_left


def test_a_paused_cron_ticker_resumes_within_bounds_that_were_changed_in_its_pause(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core)
    crons(core).pause(cron_id)
    clock.set(at(15, 30))
    crons(core).update(cron_id, start_at=at(15))
    cron = crons(core).resume(cron_id)
    records = [record for row in occurrences_of(core, cron_id) if (record := missed(row.skipped_reason))]
    assert sorted((record.first, record.count) for record in records) == [(at(13), 2), (at(15), 1)]
    assert cron.next_run_at == at(16)


def test_what_waits_for_the_overlap_lock_is_not_early_for_its_jitter(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    jitter = timedelta(minutes=30)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL, jitter=jitter)
    clock.set(at(13))
    fire(core)
    clock.set(at(13, 30))
    first = started(core, occurrences_of(core, cron_id)[0].id)
    clock.set(at(14))
    fire(core)
    finish(core, first, succeeded(first.standing))
    second = occurrences_of(core, cron_id)[-1]
    assert at(14) < second.execution_time < at(14) + jitter
    assert row_of(core, second.id).due_at == second.execution_time


def test_a_pause_does_not_bring_what_was_for_later_forward(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    crons(core).backfill(cron_id, START - 6 * HOUR, START, per_minute=2)
    crons(core).pause(cron_id)
    clock.advance(seconds=31)
    assert claim(core) == []
    crons(core).resume(cron_id)
    assert len(claim(core)) == 2
