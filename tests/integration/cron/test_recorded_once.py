"""No instant goes unrecorded: each has an occurrence, or is in one misfire record, which is no run."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.inner import Core, skipped
from tests.integration.cron.firing import fire, instants
from tests.integration.making import (
    claim,
    cron_row_of,
    crons,
    enrolled,
    finish,
    make_cron,
    occurrences_of,
    runs,
    started,
    statements_of,
)
from tests.manual_clock import START, ManualClock, at
from tests.missed import missed
from tickerq_celery.enums import MisfirePolicy, TickerStatus
from tickerq_celery.errors import TickerStateError

RECORDED: dict[str, dict[str, Any]] = {
    "an outage": {},
    "a pause": {"is_paused": True},
    "an edit": {"edit": {"expression": "30 * * * *"}},
    "bounds": {"edit": {"end_at": datetime(2026, 1, 15, 12, 30, tzinfo=UTC)}},
}

WAYS = ("Missed", "Paused", "Edited")


def begin_pause(core: Core, cron_id: UUID, way: str) -> None:
    if way == "Paused":
        crons(core).pause(cron_id)


def end_it(core: Core, cron_id: UUID, way: str) -> None:
    """Let the instants that passed be decided on: by a beat, the end of a pause, or an edit."""
    if way == "Paused":
        crons(core).resume(cron_id)
    if way == "Edited":
        crons(core).update(cron_id, expression="30 * * * *")
    fire(core)


@pytest.mark.parametrize("what", RECORDED)
def test_a_record_is_no_run_and_cannot_be_retried(core: Core, clock: ManualClock, what: str) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    way = RECORDED[what]
    if "is_paused" in way:
        crons(core).pause(cron_id)
    clock.set(at(15))
    if "is_paused" in way:
        crons(core).resume(cron_id)
    if "edit" in way:
        crons(core).update(cron_id, **way["edit"])
    fire(core)
    claim(core)
    (record,) = [row for row in occurrences_of(core, cron_id) if missed(row.skipped_reason)]
    with pytest.raises(TickerStateError, match="is the record of instants that did not run"):
        runs(core).retry(record.id)
    assert record in occurrences_of(core, cron_id)
    assert claim(core) == []


def test_a_manual_run_that_was_skipped_or_cancelled_can_be_retried(core: Core) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    ended, withdrawn = crons(core).run_now(cron_id), crons(core).run_now(cron_id)
    runs(core).cancel(withdrawn.id)
    run = started(core, ended.id)
    finish(core, run, skipped(run.standing, "nothing to send"))
    for each in (ended, withdrawn):
        assert runs(core).retry(each.id).status is TickerStatus.IDLE
    assert {claimed.id for claimed in claim(core)} == {ended.id, withdrawn.id}


def records(core: Core, cron_id: UUID) -> list[tuple[str, datetime, datetime, int, bool]]:
    """Return the word, the first and the last instant and the count of each record, and if that is exact."""
    return [
        (row.skipped_reason.partition(":")[0], span.first, span.last, span.count, span.count_is_exact)
        for row in occurrences_of(core, cron_id)
        if (span := missed(row.skipped_reason))
    ]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("filled", [(), (13, 14, 15), (13, 15), (14,)], ids=str)
def test_a_record_names_the_whole_outage_whatever_a_backfill_has_filled_in(
    core: Core, clock: ManualClock, way: str, filled: tuple[int, ...]
) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.SKIP)
    begin_pause(core, cron_id, way)
    clock.set(at(15) + timedelta(seconds=30))
    for hour in filled:
        crons(core).backfill(cron_id, at(hour), at(hour) + timedelta(seconds=1))
    end_it(core, cron_id, way)
    assert records(core, cron_id) == [(way, at(13), at(15), 3, True)]
    found = [row.instant for row in occurrences_of(core, cron_id) if not missed(row.skipped_reason)]
    assert found == [at(hour) for hour in filled]
    row = cron_row_of(core, cron_id)
    assert row.next_run_at == (at(15, 30) if way == "Edited" else at(16))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("filled", [(13, 13), (13, 15), (21, 22), (16, 18), (13, 22)])
def test_no_instant_is_lost_or_recorded_twice_where_more_passed_than_are_looked_at(
    core: Core, clock: ManualClock, way: str, filled: tuple[int, int]
) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.SKIP, misfire_limit=1)
    begin_pause(core, cron_id, way)
    clock.set(at(22) + timedelta(seconds=30))
    crons(core).backfill(cron_id, at(filled[0]), at(filled[1], 1) if filled[1] < 22 else clock.now())
    for _ in range(2):
        end_it(core, cron_id, way)
    assert records(core, cron_id) == [(way, at(13), at(22), 3, False)]


@pytest.mark.parametrize("way", WAYS)
def test_a_record_takes_no_look_at_what_a_backfill_has_filled_in(
    core: Core, clock: ManualClock, way: str
) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.SKIP)
    begin_pause(core, cron_id, way)
    clock.set(at(22))
    crons(core).backfill(cron_id, at(13), at(15))
    sent = statements_of(core, lambda: end_it(core, cron_id, way))
    assert [each for each in sent if each.startswith("SELECT") and "instant IN" in each] == []


def test_bounds_record_what_they_leave_out_also_where_a_backfill_has_filled_it_in(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL)
    clock.set(at(15, 10))
    crons(core).backfill(cron_id, at(13), at(13, 1))
    crons(core).update(cron_id, start_at=at(15))
    assert records(core, cron_id) == [("Edited", at(13), at(14), 2, True)]


def test_a_date_that_is_excluded_after_a_long_outage_is_recorded(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL, misfire_limit=2)
    clock.set(at(2, day=17) + timedelta(seconds=30))
    crons(core).update(cron_id, exclude=[date(2026, 1, 16)])
    assert records(core, cron_id) == [("Edited", at(0, day=16), at(23, day=16), 2, False)]
    fire(core)
    kept = ("Missed", at(13), at(0, day=17), 2, False)
    assert sorted(records(core, cron_id)) == [("Edited", at(0, day=16), at(23, day=16), 2, False), kept]


def test_bounds_that_keep_what_passed_in_a_long_outage_leave_no_record(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, misfire_limit=2)
    clock.set(at(2, day=17))
    crons(core).update(cron_id, exclude=[date(2026, 1, 18)], start_at=at(13))
    assert records(core, cron_id) == []


def test_what_falls_due_between_two_ticks_runs_whatever_the_misfire_limit(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, "* * * * * *", misfire_limit=1)
    clock.advance(seconds=3)
    fire(core)
    assert instants(core, cron_id) == [START + timedelta(seconds=second) for second in (1, 2, 3)]
    assert records(core, cron_id) == []


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_long_outage_is_recorded_from_the_first_to_the_last(
    core: Core, clock: ManualClock, is_paused: bool
) -> None:
    cron_id = make_cron(core, "* * * * * *", misfire=MisfirePolicy.SKIP)
    clock.advance(hours=3)
    if is_paused:
        crons(core).pause(cron_id)
        crons(core).resume(cron_id)
    fire(core)
    word, last = ("Paused", clock.now()) if is_paused else ("Missed", clock.now() - timedelta(seconds=6))
    ((*found, count, is_exact),) = records(core, cron_id)
    assert found == [word, START + timedelta(seconds=1), last]
    assert (count <= 102, is_exact) == (True, False)
