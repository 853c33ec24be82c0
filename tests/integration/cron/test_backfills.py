"""Run now and backfill: occurrences that an operator asks for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.inner import MOST_INSTANTS, Core, succeeded
from tests.integration.cron.firing import fire
from tests.integration.making import (
    at_once,
    claim,
    crons,
    enrolled,
    finish,
    make_cron,
    occurrences_of,
    processes,
    start,
)
from tests.manual_clock import START, ManualClock
from tickerq_celery.enums import HoldReason, MisfirePolicy, OverlapPolicy, TickerStatus, TickerType
from tickerq_celery.errors import TickerValidationError

DECEMBER, JANUARY = datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def test_a_paused_cron_ticker_runs_now_with_another_request(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, request={"list": "daily"})
    crons(core).pause(cron_id)
    usual, special = crons(core).run_now(cron_id), crons(core).run_now(cron_id, request={"list": "all"})
    assert (usual.request, special.request) == ({"list": "daily"}, {"list": "all"})
    assert (usual.type, usual.execution_time) == (TickerType.CRON_TICKER_OCCURRENCE, START)
    assert [claimed.id for claimed in claim(core)] == [usual.id, special.id]
    assert not crons(core).get(cron_id).is_enabled


def test_a_month_of_hours_is_backfilled_once(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    assert len(crons(core).backfill(cron_id, DECEMBER, JANUARY)) == 744
    assert crons(core).backfill(cron_id, DECEMBER, JANUARY) == []
    assert len(crons(core).backfill(cron_id, DECEMBER, JANUARY + timedelta(hours=1))) == 1
    rows = occurrences_of(core, cron_id)
    assert [row.instant for row in rows] == [DECEMBER + n * timedelta(hours=1) for n in range(745)]
    assert crons(core).get(cron_id).next_run_at == START + timedelta(hours=1)


def test_the_preview_of_a_backfill_is_what_it_makes_and_stores_nothing(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, jitter=3_000)
    day = timedelta(days=1)
    crons(core).backfill(cron_id, DECEMBER + day, DECEMBER + 2 * day)
    span = (DECEMBER, DECEMBER + 2 * day)
    seen = crons(core).backfill_preview(cron_id, *span)
    assert len(occurrences_of(core, cron_id)) == 24
    made = [run.id for run in crons(core).backfill(cron_id, *span)]
    stored = {row.id: row.instant for row in occurrences_of(core, cron_id)}
    assert list(seen.missing) == [stored[each] for each in made]
    assert (len(seen.missing), len(seen.instants)) == (24, 48)
    assert crons(core).backfill_preview(cron_id, *span) == replace(seen, missing=())
    with pytest.raises(TickerValidationError, match="only the past"):
        crons(core).backfill_preview(cron_id, DECEMBER, START + day)


class _Behind(ManualClock):
    """A process's clock that is an hour behind the database's."""

    def sql_literal(self) -> datetime:
        return self.now() + timedelta(hours=1)


@pytest.mark.every_database
def test_what_is_past_says_the_clock_of_the_store_before_and_when_it_is_done(core: Core) -> None:
    cron_id = make_cron(core, expression="0 0 * * * *")
    behind = replace(core, clock=_Behind())
    span = (START - timedelta(hours=1), START + timedelta(hours=1))
    seen = crons(behind).backfill_preview(cron_id, *span)
    assert len(seen.missing) == 2
    assert len(crons(behind).backfill(cron_id, *span)) == 2


@pytest.mark.parametrize("overlap", [OverlapPolicy.ALLOW, OverlapPolicy.BUFFER_ALL])
def test_a_backfill_returns_what_it_has_made_in_the_order_of_the_instants(
    core: Core, overlap: OverlapPolicy
) -> None:
    cron_id = make_cron(core, overlap=overlap, request={"list": "daily"})
    made = crons(core).backfill(cron_id, JANUARY, JANUARY + timedelta(hours=5))
    assert [run.execution_time for run in made] == [JANUARY + n * timedelta(hours=1) for n in range(5)]
    assert {run.id: run for run in made} == {run.id: run for run in crons(core).occurrences(cron_id)}


@pytest.mark.row_locks
def test_two_that_backfill_at_once_create_each_occurrence_once(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    with processes(core, 2) as others:
        made = at_once(
            *(
                lambda other=other: crons(other).backfill(cron_id, JANUARY, JANUARY + timedelta(days=1))
                for other in others
            )
        )
    assert sorted(map(len, made)) == [0, 24]


def test_a_backfill_falls_due_at_its_rate(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    crons(core).backfill(cron_id, JANUARY, JANUARY + timedelta(hours=6), per_minute=2)
    counts = []
    for _ in range(4):
        counts.append(len(claim(core)))
        clock.advance(minutes=1)
    assert counts == [1, 2, 2, 1]


def test_a_backfill_of_what_may_not_overlap_runs_one_after_the_other(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.SKIP)
    crons(core).backfill(cron_id, JANUARY, JANUARY + timedelta(hours=3))
    first, *others = occurrences_of(core, cron_id)
    assert [claimed.id for claimed in claim(core)] == [first.id]
    assert {row.held_for for row in others} == {HoldReason.OVERLAP}


def test_the_instants_of_an_outage_can_be_backfilled(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.SKIP)
    clock.advance(hours=3, minutes=10)
    fire(core)
    assert len(crons(core).backfill(cron_id, START, clock.now())) == 4
    rows = [row for row in occurrences_of(core, cron_id) if row.status is TickerStatus.IDLE]
    assert [row.instant.hour for row in rows] == [12, 13, 14, 15]


def test_a_backfilled_occurrence_is_held_while_its_cron_ticker_is_paused(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    crons(core).pause(cron_id)
    crons(core).backfill(cron_id, JANUARY, JANUARY + timedelta(hours=1))
    assert claim(core) == []
    crons(core).resume(cron_id)
    assert len(claim(core)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": START + timedelta(seconds=2)}, "end"),
        ({"start": JANUARY + timedelta(hours=1)}, "start"),
        ({"start": datetime(2026, 1, 1)}, "start"),  # noqa: DTZ001 - what is refused
        ({"start": JANUARY - (MOST_INSTANTS + 1) * timedelta(hours=1)}, "end"),
        ({"per_minute": 0}, "per_minute"),
        ({"per_minute": True}, "per_minute"),
    ],
    ids=str,
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_range_that_cannot_be_backfilled_is_refused_and_nothing_is_stored(
    core: Core, clock: ManualClock, changes: dict[str, Any], field: str
) -> None:
    cron_id = make_cron(core)
    wanted: dict[str, Any] = {"start": DECEMBER, "end": JANUARY, **changes}
    with pytest.raises(TickerValidationError) as caught:
        crons(core).backfill(cron_id, **wanted)
    assert caught.value.field == field
    assert occurrences_of(core, cron_id) == []


@pytest.mark.parametrize("overlap", OverlapPolicy)
def test_an_instant_that_was_backfilled_before_it_fired_has_its_occurrence_and_runs(
    core: Core, clock: ManualClock, overlap: OverlapPolicy
) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=overlap)
    clock.advance(hours=1, seconds=1)
    instant = START + timedelta(hours=1)
    assert len(crons(core).backfill(cron_id, START + timedelta(minutes=1), clock.now())) == 1
    fire(core)
    (row,) = occurrences_of(core, cron_id)
    assert (row.instant, row.status, row.cancel_request) == (instant, TickerStatus.IDLE, None)
    assert [claimed.id for claimed in claim(core)] == [row.id]
    assert crons(core).get(cron_id).next_run_at == START + timedelta(hours=2)


def test_a_backfill_keeps_its_rate_where_occurrences_may_not_overlap(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, overlap=OverlapPolicy.BUFFER_ALL)
    crons(core).backfill(cron_id, JANUARY, JANUARY + timedelta(hours=6), per_minute=2)
    counts = []
    for _ in range(4):
        counts.append(0)
        while claimed := claim(core):
            run = start(core, *claimed)
            assert run is not None
            finish(core, run, succeeded(run.standing))
            counts[-1] += 1
        clock.advance(minutes=1)
    assert counts == [1, 2, 2, 1]


def test_up_to_now_is_the_past_also_where_clocks_differ_a_little(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.advance(hours=1)
    soon = clock.now() + timedelta(milliseconds=900)
    assert len(crons(core).backfill(cron_id, JANUARY, soon)) == 14 * 24 + 13
    with pytest.raises(TickerValidationError, match="only the past"):
        crons(core).backfill(cron_id, JANUARY, clock.now() + timedelta(seconds=2))
