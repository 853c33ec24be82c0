"""Skipping the next instant: what a backfill has made of it, and what is upcoming then."""

from datetime import timedelta

import pytest

from tests.inner import Core
from tests.integration.making import (
    claim,
    cron_row_of,
    crons,
    enrolled,
    make_cron,
    occurrences_of,
    row_of,
    runs,
)
from tests.manual_clock import ManualClock, at
from tickerq_celery import TimeTicker
from tickerq_celery.enums import OverlapPolicy, TickerStatus
from tickerq_celery.errors import TickerStateError


@pytest.mark.parametrize("overlap", [OverlapPolicy.ALLOW, OverlapPolicy.BUFFER_ALL])
def test_skip_next_ends_the_occurrence_that_a_backfill_has_made(
    core: Core, clock: ManualClock, overlap: OverlapPolicy
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=overlap, children=[TimeTicker(function="Send")])
    clock.set(at(13) + timedelta(seconds=1))
    crons(core).backfill(cron_id, at(13), clock.now())
    manual = crons(core).run_now(cron_id)
    assert crons(core).skip_next(cron_id, reason="holiday").next_run_at == at(14)
    (row,) = [row for row in occurrences_of(core, cron_id) if row.instant]
    assert (row.status, row.skipped_reason) == (TickerStatus.SKIPPED, "Skipped on request: holiday")
    assert [claimed.id for claimed in claim(core)] == [manual.id]


def test_skip_next_comes_too_late_for_what_a_backfill_has_made_and_a_beat_claimed(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    clock.set(at(13) + timedelta(seconds=1))
    crons(core).backfill(cron_id, at(13), clock.now())
    (claimed,) = claim(core)
    with pytest.raises(TickerStateError, match="whose occurrence has been claimed: it cannot be skipped"):
        crons(core).skip_next(cron_id)
    assert row_of(core, claimed.id).status is TickerStatus.QUEUED
    assert cron_row_of(core, cron_id).next_run_at == at(13)


def test_skip_next_passes_by_what_was_cancelled_before_it_was_claimed(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.set(at(13) + timedelta(seconds=1))
    crons(core).backfill(cron_id, at(13), clock.now())
    (row,) = occurrences_of(core, cron_id)
    runs(core).cancel(row.id)
    assert crons(core).skip_next(cron_id).next_run_at == at(14)
    assert row_of(core, row.id).status is TickerStatus.CANCELLED


@pytest.mark.parametrize("is_paused", [False, True])
def test_what_is_skipped_is_not_upcoming(core: Core, clock: ManualClock, is_paused: bool) -> None:
    cron_id = make_cron(core, max_runs=3)
    crons(core).skip_next(cron_id)
    crons(core).skip_next(cron_id)
    if is_paused:
        crons(core).pause(cron_id)
    assert crons(core).upcoming(cron_id) == [at(15), at(16), at(17)]
    assert crons(core).upcoming(cron_id, after=at(13)) == [at(15), at(16), at(17)]
    assert crons(core).upcoming(cron_id, after=at(16)) == [at(17)]
    assert crons(core).upcoming(cron_id, count=1) == [at(15)]
    assert crons(core).upcoming(cron_id, after=at(11)) == [at(12), at(13), at(14)]


def test_what_was_skipped_is_not_upcoming_whatever_comes_after_it(core: Core, clock: ManualClock) -> None:
    last = make_cron(core, end_at=at(13))
    assert crons(core).skip_next(last).next_run_at is None
    assert crons(core).upcoming(last) == []
    edited = make_cron(core)
    crons(core).skip_next(edited)
    crons(core).update(edited, expression="*/30 * * * *")
    half = timedelta(minutes=30)
    assert crons(core).upcoming(edited, count=2) == [at(13) - half, at(13) + half]
