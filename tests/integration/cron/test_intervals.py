"""Intervals and bounds: what the store keeps of them, and what beats make of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.inner import Core, delay_of
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.making import (
    at_once,
    claim,
    cron_row_of,
    crons,
    enrolled,
    make_cron,
    occurrences_of,
    processes,
)
from tests.manual_clock import START, ManualClock
from tests.tables import cron_tickers
from tickerq_celery import Cron, CronTicker
from tickerq_celery.enums import MisfirePolicy, OverlapPolicy, TickerStatus
from tickerq_celery.errors import InvalidCronError, TickerValidationError

MakeCore = Callable[..., Core]
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def add(core: Core, **fields: Any) -> Cron:
    return crons(core).add(CronTicker(**{"function": "Send", **fields}))


def instants(core: Core, cron_id: UUID) -> list[datetime]:
    return [row.instant for row in occurrences_of(core, cron_id) if row.status is TickerStatus.IDLE]


def live(core: Core, clock: ManualClock, *, minutes: int) -> None:
    """Let a beat look each minute."""
    for _ in range(minutes):
        clock.advance(minutes=1)
        fire(core)


def test_an_interval_fires_each_time_it_has_elapsed_since_its_start(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=timedelta(minutes=2))
    assert (cron.every, cron.expression, cron.start_at) == (2 * MINUTE, "@every 2m", START)
    assert cron.next_run_at == START + 2 * MINUTE
    live(core, clock, minutes=5)
    assert instants(core, cron.id) == [START + 2 * MINUTE, START + 4 * MINUTE]


def test_an_interval_with_a_start_to_come_begins_there_and_keeps_its_step(
    core: Core, clock: ManualClock
) -> None:
    cron = add(core, every=180, start_at=START + 2 * MINUTE)
    live(core, clock, minutes=9)
    assert instants(core, cron.id) == [START + count * MINUTE for count in (2, 5, 8)]


def test_an_interval_of_a_second_fires_each_second(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=timedelta(seconds=1))
    for _ in range(4):
        clock.advance(seconds=1)
        fire(core)
    assert instants(core, cron.id) == [START + timedelta(seconds=count) for count in (1, 2, 3, 4)]


def test_a_beat_that_was_down_keeps_the_step_of_an_interval(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=HOUR, misfire=MisfirePolicy.RUN_ALL)
    clock.advance(hours=3, minutes=20)
    fire(core)
    assert instants(core, cron.id) == [START + count * HOUR for count in (1, 2, 3)]
    assert cron_row_of(core, cron.id).next_run_at == START + 4 * HOUR


def test_nothing_fires_before_the_start_or_after_the_end(core: Core, clock: ManualClock) -> None:
    cron = add(core, expression="* * * * *", start_at=START + 2 * MINUTE, end_at=START + 4 * MINUTE)
    assert cron.next_run_at == START + 2 * MINUTE
    live(core, clock, minutes=7)
    assert instants(core, cron.id) == [START + count * MINUTE for count in (2, 3, 4)]
    assert cron_row_of(core, cron.id).next_run_at is None


def test_an_excluded_date_passes_without_an_occurrence(core: Core, clock: ManualClock) -> None:
    cron = add(core, expression="0 9 * * *", time_zone="Asia/Tokyo", exclude=[date(2026, 1, 16)])
    assert cron.exclude == (date(2026, 1, 16),)
    assert cron.next_run_at == datetime(2026, 1, 17, 0, 0, tzinfo=UTC)
    clock.set(datetime(2026, 1, 17, 0, 0, tzinfo=UTC))
    fire(core)
    assert instants(core, cron.id) == [datetime(2026, 1, 17, 0, 0, tzinfo=UTC)]
    assert len(occurrences_of(core, cron.id)) == 1


def test_a_cron_ticker_ends_with_its_last_run(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=MINUTE, max_runs=2)
    live(core, clock, minutes=4)
    assert instants(core, cron.id) == [START + MINUTE, START + 2 * MINUTE]
    row = cron_row_of(core, cron.id)
    assert (row.run_count, row.next_run_at) == (2, None)


def test_runs_that_were_missed_count_once_they_have_an_occurrence(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=MINUTE, max_runs=3, misfire=MisfirePolicy.RUN_ALL)
    clock.advance(minutes=10)
    fire(core)
    assert instants(core, cron.id) == [START + count * MINUTE for count in (1, 2, 3)]
    assert cron_row_of(core, cron.id).next_run_at is None


def test_a_run_that_overlap_skips_is_one_of_them(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=MINUTE, max_runs=2, overlap=OverlapPolicy.SKIP)
    live(core, clock, minutes=4)
    assert [row.status for row in occurrences_of(core, cron.id)] == [TickerStatus.IDLE, TickerStatus.SKIPPED]


@pytest.mark.row_locks
def test_beats_at_once_make_no_more_runs_than_there_may_be(core: Core, clock: ManualClock) -> None:
    ids = [add(core, every=MINUTE, max_runs=3, jitter=30).id for _ in range(8)]
    with processes(core, 3) as beats:
        for _ in range(4):
            clock.advance(minutes=1)
            at_once(*(lambda beat=beat: fire(beat) for beat in beats))
    fire(core)
    expected = [START + count * MINUTE for count in (1, 2, 3)]
    assert {tuple(instants(core, cron_id)) for cron_id in ids} == {tuple(expected)}
    assert {cron_row_of(core, cron_id).run_count for cron_id in ids} == {3}


def test_jitter_delays_a_run_by_what_its_instant_says(core: Core, clock: ManualClock) -> None:
    jitter = timedelta(minutes=10)
    cron = add(core, expression="0 * * * *", jitter=jitter)
    enrolled(core)
    clock.advance(hours=1)
    fire(core)
    (row,) = occurrences_of(core, cron.id)
    instant = START + HOUR
    delay = delay_of(cron.id, instant, jitter)
    assert timedelta(0) < delay < jitter
    assert (row.instant, row.execution_time, row.due_at) == (instant, instant + delay, instant + delay)
    clock.set(instant + delay - timedelta(milliseconds=1))
    assert claim(core) == []
    clock.advance(milliseconds=1)
    assert [each.id for each in claim(core)] == [row.id]


def test_an_instant_has_one_run_whatever_its_jitter(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=HOUR, jitter=600)
    clock.advance(hours=1)
    fire(core)
    crons(core).update(cron.id, jitter=timedelta(minutes=20))
    clock.set(START)
    fire(core)
    clock.advance(hours=1)
    fire(core)
    assert instants(core, cron.id) == [START + HOUR]


def test_bounds_come_back_as_they_were_given(core: Core) -> None:
    end = datetime(2030, 1, 1, 0, 0, 0, 123_456, tzinfo=UTC)
    days = (date(2026, 12, 25), date(2026, 12, 26))
    given = {"start_at": START, "end_at": end, "max_runs": 7, "exclude": days}
    cron = add(core, every=MINUTE, jitter=1.5, **given)
    assert {name: getattr(cron, name) for name in given} == given
    assert (cron.jitter, cron.run_count) == (timedelta(seconds=1.5), 0)
    plain = add(core, expression="@daily")
    assert (plain.every, plain.start_at, plain.end_at, plain.max_runs) == (None, None, None, None)
    assert (plain.exclude, plain.jitter, plain.expression) == ((), timedelta(0), "@daily")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "expression"),
        ({"expression": "@daily", "every": MINUTE}, "every"),
        ({"every": timedelta(milliseconds=500)}, "every"),
        ({"expression": "@every 0s"}, "expression"),
        ({"every": MINUTE, "jitter": 61}, "jitter"),
        ({"every": MINUTE, "start_at": START, "end_at": START - MINUTE}, "end_at"),
        ({"every": MINUTE, "max_runs": 0}, "max_runs"),
        ({"every": MINUTE, "exclude": ["2026-12-25"]}, "exclude"),
        ({"every": MINUTE, "day_or": 1}, "day_or"),
    ],
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_cannot_be_stored_is_refused_and_nothing_is_stored(
    core: Core, fields: dict[str, Any], field: str
) -> None:
    good = CronTicker(function="Send", every=MINUTE)
    with pytest.raises(TickerValidationError) as caught:
        crons(core).add_batch([good, CronTicker(function="Send", **fields)])
    assert caught.value.field == f"[1].{field}"
    assert not crons(core).find()


def test_a_changed_interval_goes_on_from_its_old_start(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=4 * MINUTE)
    clock.advance(minutes=5)
    changed = crons(core).update(cron.id, every=3 * MINUTE)
    assert (changed.every, changed.start_at) == (3 * MINUTE, START)
    assert changed.next_run_at == START + 6 * MINUTE


def test_an_expression_becomes_an_interval_that_starts_now_and_back(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.advance(minutes=7)
    changed = crons(core).update(cron_id, every=HOUR)
    assert (changed.start_at, changed.next_run_at) == (START + 7 * MINUTE, START + 7 * MINUTE + HOUR)
    back = crons(core).update(cron_id, expression="0 * * * *")
    assert (back.every, back.next_run_at) == (None, START + HOUR)


def test_changed_bounds_move_the_next_run(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    update = crons(core).update
    assert update(cron_id, start_at=START + 3 * HOUR).next_run_at == START + 3 * HOUR
    assert update(cron_id, exclude=[START.date()]).next_run_at == datetime(2026, 1, 16, tzinfo=UTC)
    assert update(cron_id, end_at=START + 4 * HOUR).next_run_at is None
    assert update(cron_id, exclude=()).next_run_at == START + 3 * HOUR


def test_bounds_written_again_do_not_move_past_an_instant_that_is_due(core: Core, clock: ManualClock) -> None:
    same: dict[str, Any] = {"every": MINUTE, "exclude": [date(2027, 1, 1)], "max_runs": 9, "jitter": 5}
    cron = add(core, **same)
    clock.advance(minutes=1)
    assert crons(core).update(cron.id, **same).next_run_at == START + MINUTE
    assert crons(core).update(cron.id, jitter=6).next_run_at == START + MINUTE


def test_more_runs_let_an_ended_cron_ticker_go_on(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=MINUTE, max_runs=1)
    live(core, clock, minutes=3)
    assert crons(core).update(cron.id, max_runs=2).next_run_at == START + 4 * MINUTE
    live(core, clock, minutes=3)
    assert instants(core, cron.id) == [START + MINUTE, START + 4 * MINUTE]


def test_resuming_gives_no_run_beyond_the_last(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=MINUTE, max_runs=1)
    live(core, clock, minutes=1)
    crons(core).pause(cron.id)
    assert crons(core).resume(cron.id).next_run_at is None


def test_upcoming_instants_are_those_within_the_bounds(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=HOUR, max_runs=3, exclude=[date(2026, 1, 16)])
    clock.advance(hours=1)
    fire(core)
    assert crons(core).upcoming(cron.id) == [START + 2 * HOUR, START + 3 * HOUR]
    clock.set(START + 11 * HOUR + MINUTE)
    fire(core)
    assert crons(core).upcoming(cron.id) == [datetime(2026, 1, 17, tzinfo=UTC)]
    with pytest.raises(TickerValidationError, match="count"):
        crons(core).upcoming(cron.id, count=0)


def test_upcoming_instants_are_no_more_than_the_runs_that_are_left_by_then(
    core: Core, clock: ManualClock
) -> None:
    cron = add(core, every=HOUR, max_runs=3)
    assert crons(core).upcoming(cron.id, after=START + HOUR) == [START + 2 * HOUR, START + 3 * HOUR]
    assert crons(core).upcoming(cron.id, after=START + 50 * HOUR) == []
    often = add(core, every=MINUTE, max_runs=20_001)
    assert crons(core).upcoming(often.id, after=START + 20_000 * MINUTE) == [START + 20_001 * MINUTE]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_expression_whose_every_time_the_clocks_skip_is_refused(core: Core) -> None:
    with pytest.raises(InvalidCronError, match="never fires any more: all that it names is skipped"):
        make_cron(core, "*/30 2 8-14 3 SUN", time_zone="America/New_York")


def seeded(core: Core) -> Any:
    statement = select(cron_tickers).where(cron_tickers.c.namespace == core.config.namespace)
    return enrolled(core).database.read(lambda connection: connection.execute(statement).one())


def test_a_worker_seeds_an_interval_with_its_bounds(make_core: MakeCore) -> None:
    row = seeded(make_core(send(every=90, max_runs=5, exclude=[date(2026, 12, 25)], jitter=2, day_or=True)))
    assert (row.expression, row.seed_expression, row.start_at) == ("@every 1m30s", "@every 1m30s", START)
    assert (row.max_runs, row.exclude, row.jitter, row.day_or) == (
        5,
        ["2026-12-25"],
        timedelta(seconds=2),
        True,
    )
    assert row.next_run_at == START + timedelta(seconds=90)


def test_workers_that_start_later_leave_the_start_of_an_interval(
    make_core: MakeCore, clock: ManualClock
) -> None:
    core = make_core(send(every=HOUR))
    before = seeded(core)
    clock.advance(minutes=90)
    assert seeded(core) == before
    changed = seeded(make_core(send(every=2 * HOUR)))
    assert (changed.start_at, changed.next_run_at) == (START, START + 2 * HOUR)


def test_an_expression_in_the_code_becomes_an_interval_that_starts_now(
    make_core: MakeCore, clock: ManualClock
) -> None:
    seeded(make_core(send(cron="@daily")))
    clock.advance(minutes=7)
    row = seeded(make_core(send(every=HOUR)))
    assert (row.start_at, row.next_run_at) == (START + 7 * MINUTE, START + 7 * MINUTE + HOUR)
    assert seeded(make_core(send(cron="@daily"))).start_at is None


@pytest.mark.parametrize(
    ("bounds", "next_run_at"),
    [
        ({"start_at": START + 5 * HOUR}, START + 5 * HOUR),
        ({"end_at": START + MINUTE}, None),
        ({"exclude": [START.date()]}, datetime(2026, 1, 16, tzinfo=UTC)),
        ({"max_runs": 1}, START + HOUR),
        ({"jitter": 60}, START + HOUR),
    ],
)
def test_changed_bounds_in_the_code_are_applied(
    make_core: MakeCore, bounds: dict[str, Any], next_run_at: datetime | None
) -> None:
    seeded(make_core(send(cron="0 * * * *")))
    assert seeded(make_core(send(cron="0 * * * *", **bounds))).next_run_at == next_run_at


def test_bounds_in_the_code_apply_to_an_operators_expression(make_core: MakeCore) -> None:
    core = make_core(send(cron="@daily"))
    crons(core).update(seeded(core).id, expression="*/10 * * * *")
    row = seeded(make_core(send(cron="@daily", start_at=START + HOUR + MINUTE)))
    assert (row.expression, row.next_run_at) == ("*/10 * * * *", START + HOUR + 10 * MINUTE)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_beat_of_another_identity_agrees_about_jitter(core: Core, clock: ManualClock) -> None:
    cron = add(core, every=HOUR, jitter=HOUR)
    clock.advance(hours=1)
    fire(replace(core, node=replace(core.node, name="other")))
    (row,) = occurrences_of(core, cron.id)
    assert row.execution_time == row.instant + delay_of(cron.id, row.instant, HOUR)
