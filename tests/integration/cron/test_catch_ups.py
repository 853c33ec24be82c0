"""Catch-ups in parts: a tick stores a bounded part, and all parts together are what one would have been."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from tests.inner import Core, delay_of, succeeded
from tests.integration.conftest import send
from tests.integration.cron.firing import fire
from tests.integration.making import (
    all_rows,
    cron_row_of,
    crons,
    enrolled,
    finish,
    make_cron,
    occurrences_of,
    processes,
    started,
)
from tests.manual_clock import ManualClock, at
from tickerq_celery import MisfirePolicy, OverlapPolicy, TickerStatus, TimeTicker
from tickerq_celery.cron import firing
from tickerq_celery.cron.firing import Firing

MakeCore = Callable[..., Core]
RUN_ALL = MisfirePolicy.RUN_ALL
BACK = datetime(2026, 1, 15, 22, 30, tzinfo=UTC)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what lets each tick store three rows at most from then on."""

    def shrink() -> None:
        monkeypatch.setattr(firing, "_ROWS_AT_ONCE", 3)
        monkeypatch.setattr(firing, "_ROWS_A_TICK", 1)
        monkeypatch.setattr(firing, "_PAUSE", 0.0)

    return shrink


def fire_once(core: Core) -> bool:
    """Do what one tick does."""
    return Firing(core, lambda calls: None).fire()


def become(core: Core, cron_id: UUID) -> list[tuple[Any, ...]]:
    """Return what became of each instant, and the misfire records."""
    rows = [
        (row.instant, row.execution_time, row.skipped_reason, row.held_for, row.active_key is not None)
        for row in occurrences_of(core, cron_id)
    ]
    return sorted(rows, key=str)


@pytest.mark.parametrize("max_runs", [None, 7])
@pytest.mark.parametrize("overlap", OverlapPolicy)
@pytest.mark.parametrize("is_backfilled", [False, True])
def test_parts_stored_one_by_one_are_what_is_stored_at_once(
    make_core: MakeCore,
    clock: ManualClock,
    namespace: str,
    small_parts: Callable[[], None],
    max_runs: int | None,
    overlap: OverlapPolicy,
    is_backfilled: bool,
) -> None:
    fields: dict[str, Any] = {
        "max_runs": max_runs,
        "misfire_limit": 9,
        "misfire": RUN_ALL,
        "overlap": overlap,
    }
    cores = [make_core(send(), namespace=f"{namespace}{each}") for each in ("whole", "parts")]
    whole, parts = [make_cron(core, **fields) for core in cores]
    clock.set(BACK)
    if is_backfilled:
        for core, cron_id in zip(cores, (whole, parts), strict=True):
            crons(core).backfill(cron_id, at(15), at(17))
    fire(cores[0])

    small_parts()
    ticks = 0
    while fire_once(cores[1]):
        ticks += 1
        assert cron_row_of(cores[1], parts).catch_up_until == BACK
        clock.advance(minutes=7)
    assert ticks >= 1
    assert become(cores[1], parts) == become(cores[0], whole)
    rows = [cron_row_of(core, each) for core, each in zip(cores, (whole, parts), strict=True)]
    seen = [(row.next_run_at, row.last_run_at, row.run_count, row.catch_up_until) for row in rows]
    assert seen[0] == seen[1]


@pytest.mark.parametrize("overlap", [OverlapPolicy.SKIP, OverlapPolicy.BUFFER_ONE])
def test_what_has_ended_between_two_parts_lets_no_more_instants_run(
    core: Core, clock: ManualClock, small_parts: Callable[[], None], overlap: OverlapPolicy
) -> None:
    small_parts()
    enrolled(core)
    cron_id = make_cron(core, misfire=RUN_ALL, overlap=overlap)
    clock.set(BACK)
    while fire_once(core):
        for row in occurrences_of(core, cron_id):
            if row.due_at is not None:
                run = started(core, row.id)
                finish(core, run, succeeded(run.standing))
    skipped = [row.instant for row in occurrences_of(core, cron_id) if row.status is TickerStatus.SKIPPED]
    ran = 1 if overlap is OverlapPolicy.SKIP else 2
    assert skipped == [at(hour) for hour in range(13 + ran, 23)]


def test_several_beats_store_the_parts_of_one_catch_up(
    core: Core, clock: ManualClock, small_parts: Callable[[], None]
) -> None:
    small_parts()
    cron_id = make_cron(core, misfire=RUN_ALL)
    clock.set(BACK)
    with processes(core, 2) as beats:
        while any(fire_once(beat) for beat in (*beats, *beats)):
            pass
    assert [row.instant for row in occurrences_of(core, cron_id)] == [at(hour) for hour in range(13, 23)]


def test_a_catch_up_keeps_to_its_jitter(
    core: Core, clock: ManualClock, small_parts: Callable[[], None]
) -> None:
    small_parts()
    jitter = timedelta(minutes=10)
    cron_id = make_cron(core, misfire=RUN_ALL, jitter=jitter)
    clock.set(BACK)
    fire(core)
    found = {row.instant: row.due_at for row in occurrences_of(core, cron_id)}
    assert found == {
        instant: instant + delay_of(cron_id, instant, jitter)
        for instant in [at(hour) for hour in range(13, 23)]
    }


def test_each_instant_of_a_catch_up_has_its_chain_and_a_part_counts_it(
    core: Core, clock: ManualClock, small_parts: Callable[[], None]
) -> None:
    small_parts()
    cron_id = make_cron(core, misfire=RUN_ALL, children=[TimeTicker(function="Send")])
    clock.set(BACK)
    assert fire_once(core)
    assert len(occurrences_of(core, cron_id)) == 2
    fire(core)
    assert len(all_rows(core)) == 20


def test_what_was_decided_holds_though_policies_are_edited_meanwhile(
    core: Core, clock: ManualClock, small_parts: Callable[[], None]
) -> None:
    small_parts()
    cron_id = make_cron(core, misfire=RUN_ALL)
    clock.set(BACK)
    fire_once(core)
    crons(core).update(cron_id, misfire="run_once", misfire_limit=1, misfire_grace=60)
    fire(core)
    assert [row.instant for row in occurrences_of(core, cron_id)] == [at(hour) for hour in range(13, 23)]


def test_an_edit_of_the_times_records_what_a_catch_up_has_not_stored_yet(
    core: Core, clock: ManualClock, small_parts: Callable[[], None]
) -> None:
    small_parts()
    cron_id = make_cron(core, misfire=RUN_ALL)
    clock.set(BACK)
    fire_once(core)
    crons(core).update(cron_id, expression="45 * * * *")
    fire(core)
    reasons = [row.skipped_reason for row in occurrences_of(core, cron_id)]
    assert sum(reason.startswith("Edited: the cron ticker fires by") for reason in reasons) == 3
    (record,) = [reason for reason in reasons if "had not fired" in reason]
    assert record.startswith("Edited: 7 instants from 2026-01-15T16:00")
    row = cron_row_of(core, cron_id)
    assert (row.next_run_at, row.catch_up_until) == (at(22) + timedelta(minutes=45), None)


def test_new_bounds_have_the_policy_decide_on_what_a_catch_up_has_not_stored_yet(
    core: Core, clock: ManualClock, small_parts: Callable[[], None]
) -> None:
    small_parts()
    cron_id = make_cron(core, misfire=RUN_ALL)
    clock.set(BACK)
    fire_once(core)
    crons(core).update(cron_id, misfire="run_once", end_at=at(20))
    fire(core)
    ran = [row.instant for row in occurrences_of(core, cron_id) if row.skipped_reason is None]
    assert ran == [at(13), at(14), at(15), at(20)]


@pytest.mark.parametrize(("missed", "ran"), [(True, range(13, 23)), (False, range(13, 16))])
def test_after_a_pause_a_catch_up_goes_on_where_what_was_missed_is_wanted(
    core: Core, clock: ManualClock, small_parts: Callable[[], None], missed: bool, ran: range
) -> None:
    small_parts()
    cron_id = make_cron(core, misfire=RUN_ALL)
    clock.set(BACK)
    fire_once(core)
    crons(core).pause(cron_id)
    fire(core)
    clock.advance(minutes=10)
    crons(core).resume(cron_id, missed=missed)
    fire(core)
    found = occurrences_of(core, cron_id)
    assert [row.instant for row in found if row.instant is not None] == [at(hour) for hour in ran]
    reasons = [row.skipped_reason for row in found if row.instant is None]
    assert [reason.partition(" from ")[0] for reason in reasons] == ([] if missed else ["Paused: 7 instants"])
    assert cron_row_of(core, cron_id).next_run_at == at(23)


def test_a_cron_ticker_that_is_on_time_waits_for_no_catch_up(
    core: Core, clock: ManualClock, small_parts: Callable[[], None]
) -> None:
    small_parts()
    late = [make_cron(core, misfire=RUN_ALL) for _ in range(5)]
    on_time = make_cron(core, "30 22 * * *")
    clock.set(BACK)
    assert fire_once(core)
    assert [row.instant for row in occurrences_of(core, on_time)] == [BACK]
    # Nor is a catch-up kept waiting by those on time.
    assert sorted(len(occurrences_of(core, each)) for each in late) == [0, 0, 0, 0, 2]


def test_catch_ups_take_turns(core: Core, clock: ManualClock, small_parts: Callable[[], None]) -> None:
    small_parts()
    ids = [make_cron(core, misfire=RUN_ALL) for _ in range(3)]
    clock.set(BACK)
    for _ in range(3):
        fire_once(core)
    assert [len(occurrences_of(core, each)) for each in ids] == [3, 3, 3]


def test_a_tick_stores_a_bounded_number_of_rows(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firing, "_ROWS_AT_ONCE", 20)
    monkeypatch.setattr(firing, "_ROWS_A_TICK", 60)
    for _ in range(4):
        make_cron(core, "* * * * *", misfire=RUN_ALL, misfire_limit=100)
    clock.set(BACK)
    stored = [0]
    while fire_once(core):
        stored.append(len(all_rows(core)))
    stored.append(len(all_rows(core)))
    steps = [later - earlier for earlier, later in pairwise(stored)]
    assert stored[-1] == 404
    assert max(steps) <= 60 + 20


def test_between_the_parts_of_a_catch_up_others_have_time_to_write(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(firing, "time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr(firing, "_ROWS_AT_ONCE", 20)
    make_cron(core, "* * * * *", misfire=RUN_ALL, misfire_limit=50)
    clock.set(BACK)
    while fire_once(core):
        pass
    # 20, 20, and the last 10.
    assert pauses == [0.02, 0.02]


def test_cron_tickers_on_time_are_stored_without_a_pause(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(firing, "time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr(firing, "_CRONS_AT_ONCE", 2)
    for _ in range(5):
        make_cron(core)
    clock.set(at(13))
    assert not fire_once(core)
    assert (len(all_rows(core)), pauses) == (5, [])


def test_cron_tickers_due_in_the_same_second_are_stored_in_few_statements(
    core: Core, clock: ManualClock
) -> None:
    ids = [make_cron(core) for _ in range(50)]
    clock.set(at(13))
    sent: list[str] = []
    event.listen(
        core.database.engine, "before_cursor_execute", lambda _, __, statement, *rest: sent.append(statement)
    )
    fire_once(core)
    assert {len(occurrences_of(core, each)) for each in ids} == {1}
    assert len([each for each in sent if each.startswith("INSERT")]) == 1
    assert len([each for each in sent if each.startswith("UPDATE")]) == 1
