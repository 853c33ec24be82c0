"""Edits of a cron ticker's expression: from their commit on nothing fires by the old one."""

from datetime import date
from typing import Any

import pytest

from tests.inner import Core
from tests.integration.cron.firing import fire, instants
from tests.integration.making import (
    claim,
    count_by_status,
    cron_row_of,
    crons,
    enrolled,
    give_back,
    make_cron,
    occurrences_of,
    storing,
)
from tests.manual_clock import START, ManualClock, at
from tickerq_celery import CronTicker, RunCondition, TimeTicker
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerStatus
from tickerq_celery.typing import PauseManager

EDITS: list[dict[str, Any]] = [{"expression": "30 * * * *"}, {"time_zone": "Asia/Kolkata"}]


@pytest.mark.parametrize("edit", EDITS, ids=str)
def test_what_is_unclaimed_is_skipped_and_what_was_claimed_stays(
    core: Core, clock: ManualClock, edit: dict[str, Any]
) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    clock.set(at(13))
    fire(core)
    claimed = claim(core)
    clock.set(at(14))
    fire(core)
    crons(core).update(cron_id, **edit)
    first, second = occurrences_of(core, cron_id)
    assert (first.status, second.status) == (TickerStatus.QUEUED, TickerStatus.SKIPPED)
    assert second.skipped_reason.startswith("Edited: the cron ticker fires by ")
    assert [first.id] == [each.id for each in claimed]
    assert claim(core) == []
    assert cron_row_of(core, cron_id).next_run_at == at(14, 30)


def test_what_no_beat_had_fired_is_in_one_record(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.set(at(14, 10))
    crons(core).update(cron_id, **EDITS[0])
    fire(core)
    (record,) = occurrences_of(core, cron_id)
    assert record.skipped_reason == (
        "Edited: 2 instants from 2026-01-15T13:00:00+00:00 to 2026-01-15T14:00:00+00:00 "
        "had not fired when '0 * * * *' was changed"
    )


def test_an_edit_in_a_pause_takes_effect_when_it_is_over(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    crons(core).pause(cron_id)
    clock.set(at(13, 10))
    assert crons(core).update(cron_id, **EDITS[0]).next_run_at is None
    clock.set(at(14, 40))
    assert crons(core).resume(cron_id, missed=True).next_run_at == at(13, 30)
    fire(core)
    assert instants(core, cron_id) == [at(14, 30)]


def test_those_that_wait_for_the_overlap_lock_are_of_the_past_too(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    for hour in (13, 14):
        clock.set(at(hour))
        fire(core)
        claim(core)
    crons(core).update(cron_id, **EDITS[0])
    assert [row.status for row in occurrences_of(core, cron_id)] == [
        TickerStatus.QUEUED,
        TickerStatus.SKIPPED,
    ]


def test_the_chain_of_an_occurrence_that_an_edit_ends_follows_it(core: Core, clock: ManualClock) -> None:
    child = TimeTicker(function="Send", run_condition=RunCondition.ON_SUCCESS)
    cron_id = make_cron(core, children=[child])
    clock.set(at(13))
    fire(core)
    crons(core).update(cron_id, **EDITS[0])
    (head,) = occurrences_of(core, cron_id)
    assert head.status is TickerStatus.SKIPPED
    assert count_by_status(core) == {TickerStatus.SKIPPED: 2}


@pytest.mark.parametrize(
    ("bounds", "passed", "fires"),
    [
        ({"start_at": at(16)}, "3 instants from 2026-01-15T13:00:00+00:00 to 2026-01-15T15:00:00+00:00", []),
        (
            {"start_at": at(14)},
            "1 instant from 2026-01-15T13:00:00+00:00 to 2026-01-15T13:00:00+00:00",
            [15],
        ),
        ({"end_at": at(14)}, "1 instant from 2026-01-15T15:00:00+00:00 to 2026-01-15T15:00:00+00:00", [14]),
        (
            {"exclude": [START.date()]},
            "3 instants from 2026-01-15T13:00:00+00:00 to 2026-01-15T15:00:00+00:00",
            [],
        ),
    ],
    ids=str,
)
def test_what_new_bounds_leave_out_before_it_has_fired_is_in_one_record(
    core: Core, clock: ManualClock, bounds: dict[str, Any], passed: str, fires: list[int]
) -> None:
    cron_id = make_cron(core)
    clock.set(at(15, 10))
    crons(core).update(cron_id, **bounds)
    reasons = [row.skipped_reason for row in occurrences_of(core, cron_id)]
    assert reasons == [f"Edited: {passed} had not fired when the cron ticker's new bounds left them out"]
    fire(core)
    assert instants(core, cron_id) == [at(hour) for hour in fires]


def test_what_no_run_is_left_for_is_in_one_record(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.set(at(13))
    fire(core)
    clock.set(at(14))
    crons(core).update(cron_id, max_runs=1)
    (reason,) = [row.skipped_reason for row in occurrences_of(core, cron_id) if row.skipped_reason]
    assert reason.startswith("Edited: 1 instant from 2026-01-15T14:00:00+00:00")


def test_bounds_that_leave_nothing_out_leave_no_record(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.set(at(15, 10))
    crons(core).update(cron_id, start_at=at(13), end_at=at(20), max_runs=9)
    assert occurrences_of(core, cron_id) == []


def test_a_manual_run_keeps_the_request_of_its_own(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, request={"size": 1})
    clock.advance(hours=1)
    fire(core)
    crons(core).run_now(cron_id, request={"size": 2})
    crons(core).update(cron_id, request={"size": 3}, description="new")
    planned, manual = crons(core).occurrences(cron_id)[::-1]
    assert (planned.request, manual.request) == ({"size": 3}, {"size": 2})
    assert planned.description == manual.description == "new"


@pytest.mark.parametrize("edit", [{"exclude": [date(2026, 12, 25)]}, {"expression": "0,30 * * * *"}], ids=str)
def test_an_edit_does_not_come_back_to_an_instant_that_is_to_be_skipped(
    core: Core, clock: ManualClock, edit: dict[str, Any]
) -> None:
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    clock.set(at(12, 40))
    edited = crons(core).update(cron_id, **edit)
    assert edited.next_run_at == (at(14) if "exclude" in edit else at(13, 30))


def test_an_edit_in_a_pause_does_not_record_an_instant_twice_that_was_to_be_skipped(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core)
    crons(core).skip_next(cron_id)
    crons(core).pause(cron_id)
    crons(core).update(cron_id, max_runs=5)
    clock.set(at(13, 1))
    crons(core).resume(cron_id)
    assert [row.instant for row in occurrences_of(core, cron_id)] == [at(13)]


def test_what_was_given_back_unpublished_is_of_the_past_too(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    clock.set(at(13))
    fire(core)
    give_back(core, claim(core))
    crons(core).update(cron_id, description="new")
    assert occurrences_of(core, cron_id)[0].description == "new"
    crons(core).update(cron_id, **EDITS[0])
    assert claim(core) == []
    assert instants(core, cron_id, TickerStatus.SKIPPED) == [at(13)]


def test_another_start_of_an_interval_makes_no_instants_of_the_past(core: Core, clock: ManualClock) -> None:
    cron = crons(core).add(
        CronTicker(function="Send", every=3600, misfire=MisfirePolicy.RUN_ALL), allow_unknown=True
    )
    clock.set(at(14, 50))
    edited = crons(core).update(cron.id, start_at=at(12, 45))
    assert edited.next_run_at == at(15, 45)
    fire(core)
    (record,) = occurrences_of(core, cron.id)
    assert record.skipped_reason.startswith("Edited: 2 instants from 2026-01-15T13:00:00")


def test_a_later_start_on_the_same_instants_leaves_the_later_ones(core: Core, clock: ManualClock) -> None:
    cron = crons(core).add(
        CronTicker(function="Send", every=3600, misfire=MisfirePolicy.RUN_ALL), allow_unknown=True
    )
    clock.set(at(15, 10))
    crons(core).update(cron.id, start_at=at(14))
    fire(core)
    assert instants(core, cron.id) == [at(14), at(15)]


def test_one_that_ends_in_a_pause_and_is_extended_afterwards_is_not_shown_as_paused(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core)
    PauseManager(storing(core)).pause(function="Send", reason="deployment", by="ann")
    clock.advance(hours=1)
    fire(core)
    crons(core).update(cron_id, end_at=at(12, 30))
    PauseManager(storing(core)).resume(function="Send")
    extended = crons(core).update(cron_id, end_at=at(20))
    assert (extended.next_run_at, extended.paused_reason, extended.paused_by) == (at(14), None, None)


def test_what_is_skipped_on_request_or_filled_in_is_no_run_of_those_that_are_left(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, max_runs=1)
    crons(core).skip_next(cron_id)
    crons(core).update(cron_id, exclude=[date(2026, 12, 25)])
    clock.set(at(14))
    fire(core)
    assert instants(core, cron_id) == [at(14)]
    other = make_cron(core, max_runs=1)
    clock.set(at(15, 1))
    crons(core).backfill(other, at(14, 30), at(15, 1))
    fire(core)
    assert (crons(core).get(other).run_count, crons(core).get(other).next_run_at) == (0, at(16))
