"""Pauses: of one cron ticker, of a function, a tag or everything, manual or after failures."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from tests.inner import Claimer, Core, Transaction, succeeded
from tests.inner import pauses as managers_pauses
from tests.integration.conftest import send
from tests.integration.cron.firing import fire, instants
from tests.integration.locking import locked
from tests.integration.making import (
    ON_SERVERS,
    ListPublisher,
    claim,
    cron_row_of,
    crons,
    edit_cron,
    enrolled,
    fail,
    finish,
    locked_cron,
    make_cron,
    make_run,
    occurrences_of,
    processes,
    row_of,
    started,
    storing,
    time_tickers,
)
from tests.manual_clock import START, ManualClock, at
from tests.statements import cron_pauses, cron_tickers, runs
from tests.statements import pauses as stored_pauses
from tests.tables import cron_tickers as cron_tickers_table
from tests.tables import tickers
from tickerq_celery import TimeTicker
from tickerq_celery.beat.sweeper import CronUpkeep
from tickerq_celery.cron import pausing
from tickerq_celery.cron.firing import Firing
from tickerq_celery.cron.pausing import resume_suspended
from tickerq_celery.enums import (
    AuditOutcome,
    HoldReason,
    MisfirePolicy,
    OverlapPolicy,
    PauseKind,
    TickerStatus,
)
from tickerq_celery.errors import (
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
    UnknownFunctionError,
)
from tickerq_celery.managers.audit import AuditManager
from tickerq_celery.tickers.pauses import Scope
from tickerq_celery.tickers.run_rows import occurrence_row, skipped_row
from tickerq_celery.typing import PauseManager
from tickerq_celery.views import AuditEntry

SCOPES: list[dict[str, Any]] = [{"function": "Send"}, {"tag": "eu"}, {"everything": True}]


def pauses(core: Core) -> PauseManager:
    return PauseManager(storing(core))


def sweep(core: Core) -> None:
    core.write(Claimer(core).release_holds)
    core.write(resume_suspended, after=None)


def fail_next(core: Core, clock: ManualClock, cron_id: UUID) -> None:
    clock.advance(hours=1)
    fire(core)
    (due,) = [row for row in occurrences_of(core, cron_id) if row.status is TickerStatus.IDLE]
    fail(core, started(core, due.id))


def entries_about(core: Core, cron_id: UUID) -> list[AuditEntry]:
    """Return what the audit says of a cron ticker, the newest first."""
    return list(AuditManager(storing(core)).find(object_kind="cron_ticker", object_id=cron_id))


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_what_is_paused_neither_fires_nor_starts(
    core: Core, clock: ManualClock, scope: dict[str, Any]
) -> None:
    enrolled(core)
    cron_id = make_cron(core, tags=["eu"])
    run = make_run(core, tags=["eu"])
    pause = pauses(core).pause(**scope, reason="deployment", by="ann")
    assert (pause.reason, pause.paused_by, pause.paused_at) == ("deployment", "ann", START)
    assert pauses(core).find() == (pause,)
    clock.advance(hours=2)
    fire(core)
    assert claim(core) == []
    assert (row_of(core, run).held_for, occurrences_of(core, cron_id)) == (HoldReason.PAUSED, [])
    cron = crons(core).get(cron_id)
    assert (cron.is_enabled, cron.next_run_at, cron.resume_from) == (True, None, at(13))
    assert (cron.paused_by, cron.paused_reason) == ("ann", "deployment")

    assert pauses(core).resume(**scope) == pause
    assert [claimed.id for claimed in claim(core)] == [run]
    fire(core)
    assert instants(core, cron_id) == []
    (record,) = occurrences_of(core, cron_id)
    assert record.skipped_reason == (
        "Paused: 2 instants from 2026-01-15T13:00:00+00:00 to 2026-01-15T14:00:00+00:00 "
        "passed in a pause by ann: deployment"
    )
    clock.advance(hours=1)
    fire(core)
    assert instants(core, cron_id) == [at(15)]
    with pytest.raises(
        TickerNotFoundError, match=r"^there is no pause of (function Send|tag eu|everything)$"
    ):
        pauses(core).resume(**scope)


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_what_is_not_meant_by_a_pause_goes_on(core: Core, clock: ManualClock, scope: dict[str, Any]) -> None:
    enrolled(core)
    other = {name: True if value is True else f"other-{value}" for name, value in scope.items()}
    pauses(core).pause(**other, allow_unknown=True)
    cron_id = make_cron(core, tags=["eu", "europe"])
    clock.advance(hours=1)
    fire(core)
    assert instants(core, cron_id) == ([] if "everything" in scope else [at(13)])
    assert len(claim(core)) == len(instants(core, cron_id, TickerStatus.QUEUED))


def test_what_two_pauses_hold_runs_when_both_are_over(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    run = make_run(core, tags=["eu"])
    for scope in SCOPES:
        pauses(core).pause(**scope)
    for scope in SCOPES:
        assert claim(core) == []
        pauses(core).resume(**scope)
    assert [claimed.id for claimed in claim(core)] == [run]


def test_a_resumption_leaves_what_was_missed_to_the_misfire_policy_if_asked(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL)
    pauses(core).pause(everything=True)
    clock.advance(hours=3)
    fire(core)
    pauses(core).resume(everything=True, missed=True)
    fire(core)
    assert instants(core, cron_id) == [at(13), at(14), at(15)]


def test_a_sweep_ends_what_a_fire_that_saw_the_pause_began_after_it_was_over(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id, run = make_cron(core), make_run(core)
    paused_at = pauses(core).pause(everything=True).paused_at
    clock.advance(hours=1)
    fire(core)
    claim(core)
    # As if those two had committed after the resumption had looked for what they wrote.
    everything = Scope(kind=PauseKind.EVERYTHING, name="")
    core.write(stored_pauses.remove, everything, paused_at)
    sweep(core)
    assert cron_row_of(core, cron_id).next_run_at == at(14)
    assert [claimed.id for claimed in claim(core)] == [run]


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        ({}, "function"),
        ({"function": "Send", "tag": "eu"}, "function"),
        ({"function": ""}, "function"),
        ({"tag": "x" * 51}, "tag"),
        ({"everything": "yes"}, "everything"),
        ({"everything": True, "by": 7}, "by"),
    ],
    ids=str,
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_pause_of_nothing_in_particular_is_refused(core: Core, scope: dict[str, Any], field: str) -> None:
    with pytest.raises(TickerValidationError) as caught:
        pauses(core).pause(**scope)
    assert caught.value.field == field
    assert not pauses(core).find()


def test_failures_in_a_row_pause_a_cron_ticker_and_hold_what_waits(
    core: Core, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    enrolled(core)
    cron_id = make_cron(core, pause_on_failure=2, overlap=OverlapPolicy.BUFFER_ALL)
    fail_next(core, clock, cron_id)
    assert crons(core).get(cron_id).is_enabled
    with caplog.at_level(logging.ERROR):
        fail_next(core, clock, cron_id)
    cron = crons(core).get(cron_id)
    assert (cron.is_enabled, cron.next_run_at, cron.resume_from) == (False, None, at(15))
    assert (cron.paused_by, cron.paused_reason) == ("tickerq", "2 occurrences in a row have failed")
    assert str(cron_id) in caplog.text


@pytest.mark.every_database
def test_a_pause_by_failures_stands_in_the_audit_and_none_that_was_rolled_back(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core, pause_on_failure=2)
    fail_next(core, clock, cron_id)
    fail_next(core, clock, cron_id)
    [entry] = entries_about(core, cron_id)
    assert (entry.actor, entry.role, entry.via, entry.action) == ("TickerQ", None, None, "cron_tickers.pause")
    assert (entry.outcome, entry.reason) == (AuditOutcome.DONE, "2 occurrences in a row have failed")
    assert (entry.ids, entry.before, entry.after) == (
        (cron_id,),
        {"is_enabled": True},
        {"is_enabled": False},
    )
    crons(core).resume(cron_id)
    fail_next(core, clock, cron_id)

    def fail_and_roll_back(tx: Transaction) -> None:
        cron = cron_tickers.lock(tx, cron_id)
        assert cron is not None
        assert pausing.pause_if_failing(tx, replace(cron, pause_on_failure=1))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        core.write(fail_and_roll_back)
    assert crons(core).get(cron_id).is_enabled
    assert [each.action for each in entries_about(core, cron_id)] == [
        "cron_tickers.resume",
        "cron_tickers.pause",
    ]


@pytest.mark.every_database
def test_what_failures_paused_is_listed_with_the_last_of_them(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id, other = make_cron(core, pause_on_failure=1), make_cron(core)
    crons(core).pause(other, by="ann")
    fail_next(core, clock, cron_id)
    [run] = [each for each in occurrences_of(core, cron_id) if each.status is TickerStatus.FAILED]
    found = core.read(cron_pauses.paused, most=10)
    assert run.exception_message
    assert {each.id: (each.error_type, each.error_head) for each in found} == {
        cron_id: (run.exception_type, run.exception_message),
        other: (None, None),
    }


def test_a_success_and_a_resumption_begin_the_count_anew(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, pause_on_failure=2)
    fail_next(core, clock, cron_id)
    clock.advance(hours=1)
    fire(core)
    run = started(core, occurrences_of(core, cron_id)[-1].id)
    finish(core, run, succeeded(run.standing))
    fail_next(core, clock, cron_id)
    assert crons(core).get(cron_id).is_enabled
    crons(core).pause(cron_id)
    crons(core).resume(cron_id)
    fail_next(core, clock, cron_id)
    assert crons(core).get(cron_id).is_enabled
    fail_next(core, clock, cron_id)
    assert not crons(core).get(cron_id).is_enabled


@pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)
def test_a_failure_waits_for_no_lock_and_the_next_fire_pauses_instead(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, pause_on_failure=1)
    clock.advance(hours=1)
    fire(core)
    run = started(core, occurrences_of(core, cron_id)[0].id)

    with processes(core, 1) as [other]:

        def fail_meanwhile(tx: Transaction) -> None:
            cron_tickers.lock(tx, cron_id)
            fail(core, run)

        other.write(fail_meanwhile)
    assert crons(core).get(cron_id).is_enabled
    clock.advance(hours=1)
    fire(core)
    assert not crons(core).get(cron_id).is_enabled
    assert instants(core, cron_id) == []


def test_the_next_instant_can_be_skipped_and_the_one_after_it(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    assert crons(core).skip_next(cron_id, reason="holiday", by="ann").next_run_at == at(14)
    assert crons(core).skip_next(cron_id).next_run_at == at(15)
    clock.advance(hours=3)
    fire(core)
    assert instants(core, cron_id) == [at(15)]
    skipped = {row.instant: row.skipped_reason for row in occurrences_of(core, cron_id)}
    assert skipped == {
        at(13): "Skipped on request by ann: holiday",
        at(14): "Skipped on request",
        at(15): None,
    }


def test_a_paused_cron_ticker_has_no_instant_to_skip(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    crons(core).pause(cron_id)
    with pytest.raises(TickerStateError, match=f"{cron_id} is paused"):
        crons(core).skip_next(cron_id)


def test_what_a_slow_beat_had_not_fired_before_a_pause_is_kept(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    clock.set(at(13) + timedelta(seconds=1))
    crons(core).pause(cron_id)
    crons(core).resume(cron_id, missed=True)
    fire(core)
    assert instants(core, cron_id) == [at(13)]


def test_a_suspended_cron_ticker_that_cannot_be_read_is_stopped_and_keeps_no_other_waiting(
    core: Core, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = make_cron(core), make_cron(core)
    pauses(core).pause(everything=True)
    clock.advance(hours=1)
    fire(core)
    edit_cron(core, broken, time_zone="Europe/Nowhere")
    pauses(core).resume(everything=True)
    sweep(core)
    assert cron_row_of(core, sound).next_run_at == START + timedelta(hours=2)
    stopped = cron_row_of(core, broken)
    assert (stopped.next_run_at, stopped.resume_from) == (None, None)
    assert f"cron ticker {broken} cannot fire any more" in caplog.text
    mended = crons(core).update(broken, time_zone="UTC", allow_unknown=True)
    assert (mended.next_run_at, mended.paused_at) == (START + timedelta(hours=2), None)


def test_a_suspended_cron_ticker_that_cannot_be_read_can_be_mended_before(
    core: Core, clock: ManualClock
) -> None:
    broken = make_cron(core)
    pauses(core).pause(everything=True)
    clock.advance(hours=1)
    fire(core)
    edit_cron(core, broken, time_zone="Europe/Nowhere")
    crons(core).update(broken, time_zone="UTC", allow_unknown=True)
    pauses(core).resume(everything=True)
    assert cron_row_of(core, broken).next_run_at == START + timedelta(hours=2)


@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_a_pause_that_no_beat_saw_is_recorded_too(
    core: Core, clock: ManualClock, scope: dict[str, Any]
) -> None:
    cron_id, other = make_cron(core, tags=["eu"]), make_cron(core, function="Clean")
    pauses(core).pause(**scope, by="ann")
    clock.advance(hours=2)
    pauses(core).resume(**scope)
    fire(core)
    (record,) = occurrences_of(core, cron_id)
    assert record.skipped_reason == (
        "Paused: 2 instants from 2026-01-15T13:00:00+00:00 to 2026-01-15T14:00:00+00:00 "
        "passed in a pause by ann"
    )
    assert cron_row_of(core, cron_id).next_run_at == at(15)
    assert instants(core, other) == ([] if "everything" in scope else [at(14)])


def test_what_a_resumption_asked_for_is_done_though_it_dies_right_after(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL)
    pauses(core).pause(everything=True)
    clock.advance(hours=2)
    fire(core)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(managers_pauses, "resume_suspended", die)
        with pytest.raises(KeyboardInterrupt):
            pauses(core).resume(everything=True, missed=True)
    sweep(core)
    fire(core)
    assert instants(core, cron_id) == [at(13), at(14)]


def test_the_last_of_two_resumptions_says_what_becomes_of_what_was_missed(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL)
    pauses(core).pause(function="Send")
    pauses(core).pause(everything=True)
    clock.advance(hours=1)
    fire(core)
    pauses(core).resume(function="Send", missed=True)
    assert cron_row_of(core, cron_id).next_run_at is None
    pauses(core).resume(everything=True)
    fire(core)
    assert instants(core, cron_id) == []


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_resumption_waits_for_a_beat_that_saw_the_pause(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL)
    pauses(core).pause(everything=True)
    clock.advance(hours=2)
    with processes(core, 1) as [beat]:
        resuming = Thread(target=lambda: pauses(core).resume(everything=True, missed=True))

        def park_meanwhile(tx: Transaction) -> None:
            Firing(beat, lambda calls: None)._fire(tx)
            resuming.start()
            # Who does not wait is done by then; who does goes on after the commit.
            resuming.join(timeout=1)

        beat.write(park_meanwhile)
        resuming.join()
    fire(core)
    assert instants(core, cron_id) == [at(13), at(14)]


def test_failures_count_however_many_instants_were_skipped_between_them(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    cron_id = make_cron(core, pause_on_failure=2)
    fail_next(core, clock, cron_id)
    cron = locked_cron(core, cron_id)
    between = [
        skipped_row(
            occurrence_row(cron, instant=at(13, 1) + timedelta(seconds=n), now=clock.now()),
            reason="Overlap",
            now=clock.now(),
        )
        for n in range(1_001)
    ]
    core.write(runs.insert, between)
    fail_next(core, clock, cron_id)
    assert not crons(core).get(cron_id).is_enabled


def test_failures_count_on_after_the_pause_of_a_function(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id = make_cron(core, pause_on_failure=2)
    fail_next(core, clock, cron_id)
    pauses(core).pause(function="Send")
    clock.advance(hours=1)
    fire(core)
    pauses(core).resume(function="Send")
    fail_next(core, clock, cron_id)
    assert not crons(core).get(cron_id).is_enabled


def test_a_sweep_comes_to_all_that_are_suspended(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "_SUSPENDED_AT_ONCE", 1)
    paused, free = make_cron(core, tags=["eu"]), make_cron(core)
    pauses(core).pause(tag="eu")
    paused_at = pauses(core).pause(everything=True).paused_at
    clock.advance(hours=1)
    fire(core)
    # As if the resumption had died before it looked for those.
    everything = Scope(kind=PauseKind.EVERYTHING, name="")
    core.write(stored_pauses.remove, everything, paused_at)
    upkeep = CronUpkeep(core, ListPublisher())
    upkeep.maintain()
    upkeep.maintain()
    assert cron_row_of(core, free).next_run_at == at(14)
    pauses(core).resume(tag="eu")
    upkeep.maintain()
    upkeep.maintain()
    assert cron_row_of(core, paused).next_run_at == at(14)


@pytest.mark.parametrize(
    ("scope", "edit"), [({"tag": "eu"}, {"tags": []}), ({"function": "Send"}, {"function": "Clean"})]
)
def test_an_edit_takes_what_waits_out_of_a_pause(
    make_core: Callable[..., Core], clock: ManualClock, scope: dict[str, Any], edit: dict[str, Any]
) -> None:
    core = enrolled(make_core(send(), send("Clean")))
    cron_id, run = make_cron(core, tags=["eu"]), make_run(core, tags=["eu"])
    clock.advance(hours=1)
    fire(core)
    pauses(core).pause(**scope)
    assert claim(core) == []
    crons(core).update(cron_id, **edit)
    assert len(claim(core)) == 1
    time_tickers(core).update(run, **edit)
    assert len(claim(core)) == 1


def test_the_resumption_of_a_cron_ticker_leaves_it_to_a_pause_of_its_function(
    core: Core, clock: ManualClock
) -> None:
    cron_id = make_cron(core, misfire=MisfirePolicy.RUN_ALL)
    pauses(core).pause(function="Send", reason="deployment")
    crons(core).pause(cron_id, reason="holiday")
    clock.advance(hours=2)
    resumed = crons(core).resume(cron_id)
    assert (resumed.is_enabled, resumed.next_run_at, resumed.resume_from) == (True, None, at(13))
    assert resumed.paused_reason == "deployment"
    clock.advance(hours=1)
    pauses(core).resume(function="Send", missed=True)
    fire(core)
    assert instants(core, cron_id) == [at(13), at(14), at(15)]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_fire_that_pauses_by_failures_waits_for_no_lock(core: Core, clock: ManualClock) -> None:
    enrolled(core)
    cron_id, other = make_cron(core, pause_on_failure=1), make_cron(core)
    for _ in range(2):
        clock.advance(hours=1)
        fire(core)
    failed, in_hand = (row.id for row in occurrences_of(core, cron_id))
    with locked(core, cron_tickers_table, cron_tickers_table.c.id == cron_id):
        fail(core, started(core, failed))
    clock.advance(hours=1)
    with locked(core, tickers, tickers.c.id == in_hand):
        fire(core)
    assert not crons(core).get(cron_id).is_enabled
    assert at(15) in instants(core, other)
    assert {claimed.id for claimed in claim(core)}.isdisjoint({in_hand})
    assert row_of(core, in_hand).held_for == HoldReason.PAUSED


@pytest.mark.timeout(60)
@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
@pytest.mark.parametrize(
    "edit", [{"description": "new"}, {"end_at": at(20)}, {"expression": "5 * * * *"}], ids=str
)
def test_an_operator_waits_for_no_occurrence_that_runs(
    core: Core, clock: ManualClock, edit: dict[str, Any]
) -> None:
    enrolled(core)
    cron_id = make_cron(core)
    clock.advance(hours=1)
    fire(core)
    run = started(core, occurrences_of(core, cron_id)[0].id)
    # As in the function's own transaction, after complete_in.
    with locked(core, tickers, tickers.c.id == run.id):
        crons(core).update(cron_id, **edit)
        crons(core).pause(cron_id)
        crons(core).resume(cron_id)


def test_one_that_was_added_paused_fires_once_all_pauses_are_over(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, is_enabled=False)
    pauses(core).pause(function="Send")
    clock.advance(minutes=30)
    crons(core).resume(cron_id)
    assert cron_row_of(core, cron_id).resume_from == at(13)
    pauses(core).resume(function="Send")
    assert cron_row_of(core, cron_id).next_run_at == at(13)


def test_one_that_has_come_to_its_end_is_not_shown_as_paused(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core, max_runs=1)
    clock.advance(hours=1)
    fire(core)
    pauses(core).pause(function="Send", reason="deployment", by="ann")
    crons(core).pause(cron_id, reason="holiday")
    assert crons(core).resume(cron_id).paused_reason is None
    extended = crons(core).update(cron_id, max_runs=2)
    assert (extended.next_run_at, extended.paused_by) == (at(14), None)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("missed", [False, True])
@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_resumption_waits_for_nothing_that_the_pause_does_not_cover(
    make_core: Callable[..., Core], clock: ManualClock, missed: bool
) -> None:
    core = enrolled(make_core(send(), send("Clean")))
    make_cron(core)
    other = make_cron(core, function="Clean")
    pauses(core).pause(function="Send")
    clock.advance(hours=1)
    with locked(core, cron_tickers_table, cron_tickers_table.c.id == other):
        assert pauses(core).resume(function="Send", missed=missed).name == "Send"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("missed", [False, True])
@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
def test_a_resumption_that_waits_keeps_nothing_else_from_firing(
    make_core: Callable[..., Core], clock: ManualClock, missed: bool
) -> None:
    core = enrolled(make_core(send(), send("Clean")))
    other, cron_id = make_cron(core, function="Clean"), make_cron(core)
    pauses(core).pause(function="Send")
    clock.advance(hours=1)
    with processes(core, 1) as [operator]:
        resuming = Thread(target=lambda: pauses(operator).resume(function="Send", missed=missed))
        with locked(core, cron_tickers_table, cron_tickers_table.c.id == cron_id):
            resuming.start()
            # It is stalled for as long as the row is locked.
            resuming.join(timeout=1)
            fire(core)
        resuming.join()
    assert instants(core, other) == [at(13)]


def test_a_pause_says_who_and_why_unless_an_operator_has_paused_it_already(
    core: Core, clock: ManualClock
) -> None:
    enrolled(core)
    added_paused = make_cron(core, is_enabled=False)
    failing = make_cron(core, pause_on_failure=1)
    fail_next(core, clock, failing)
    for cron_id in (added_paused, failing):
        assert crons(core).pause(cron_id, reason="audit", by="ann").paused_by == "ann"
        assert crons(core).pause(cron_id, reason="holiday", by="bob").paused_by == "ann"
    assert crons(core).resume(failing).next_run_at == at(14)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_pause_of_an_unknown_function_is_refused_with_the_one_that_may_be_meant(core: Core) -> None:
    enrolled(core)
    with pytest.raises(UnknownFunctionError, match=r"by any worker: did you mean Send\?"):
        pauses(core).pause(function="Sned")
    assert not pauses(core).find()
    assert pauses(core).pause(function="Sned", allow_unknown=True).name == "Sned"
    assert pauses(core).resume(function="Sned").name == "Sned"


@pytest.mark.parametrize("named_by", [make_cron, make_run])
def test_a_pause_takes_any_function_that_a_ticker_names(
    core: Core, make_core: Callable[..., Core], named_by: Callable[[Core], UUID]
) -> None:
    elsewhere = make_core()
    with pytest.raises(UnknownFunctionError):
        pauses(elsewhere).pause(function="Send")
    named_by(core)
    assert pauses(elsewhere).pause(function="Send").name == "Send"


def test_a_pause_takes_a_function_that_a_worker_has_registered(
    core: Core, make_core: Callable[..., Core]
) -> None:
    enrolled(core)
    assert pauses(make_core()).pause(function="Send").name == "Send"


def test_a_function_that_only_workers_know_is_suggested_where_its_name_is_mistyped(
    core: Core, make_core: Callable[..., Core]
) -> None:
    enrolled(core)
    elsewhere = make_core()
    with pytest.raises(UnknownFunctionError, match=r"did you mean Send\?"):
        pauses(elsewhere).pause(function="Sned")
    with pytest.raises(UnknownFunctionError, match=r"did you mean Send\?"):
        time_tickers(elsewhere).add(TimeTicker(function="Sned"))


def test_a_resumption_says_who_and_why_until_the_next_one(core: Core, clock: ManualClock) -> None:
    cron_id = make_cron(core)
    crons(core).pause(cron_id, reason="audit", by="ann")
    cron = crons(core).resume(cron_id, reason="audit is over", by="bob")
    assert (cron.resumed_by, cron.resumed_reason, cron.resumed_at) == ("bob", "audit is over", START)
    assert crons(core).resume(cron_id, by="carl").resumed_by == "bob"
    assert crons(core).pause(cron_id).resumed_by == "bob"
    clock.advance(minutes=1)
    again = crons(core).resume(cron_id)
    assert (again.resumed_by, again.resumed_reason) == (None, None)
    assert again.resumed_at == START + timedelta(minutes=1)


def test_a_resumption_in_the_pause_of_a_function_says_who_and_why(core: Core) -> None:
    cron_id = make_cron(core)
    pauses(core).pause(function="Send", by="ann")
    crons(core).pause(cron_id)
    assert crons(core).resume(cron_id, reason="mended", by="bob").resumed_by == "bob"
    pauses(core).resume(function="Send", by="carl")
    cron = crons(core).get(cron_id)
    assert (cron.resumed_by, cron.resumed_reason) == ("bob", "mended")


@pytest.mark.parametrize("scope", SCOPES, ids=str)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_who_ended_a_pause_of_more_than_one_and_why_is_logged(
    core: Core, scope: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        with pytest.raises(TickerNotFoundError):
            pauses(core).resume(**scope, reason="nothing was paused", by="ann")
        pauses(core).pause(**scope)
        pauses(core).resume(**scope, reason="the server is back", by="ann")
    what = "everything" if "everything" in scope else " ".join(*scope.items())
    assert f"the pause of {what} was ended by ann: the server is back" in caplog.messages
    assert "nothing was paused" not in caplog.text


@pytest.mark.parametrize("words", [{"reason": "x" * 501}, {"by": "x" * 201}, {"reason": 7}], ids=str)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_who_and_why_are_refused_where_they_cannot_be_stored(core: Core, words: dict[str, Any]) -> None:
    cron_id = make_cron(core)
    for resume in (
        lambda: crons(core).resume(cron_id, **words),
        lambda: pauses(core).resume(tag="eu", **words),
    ):
        with pytest.raises(TickerValidationError) as caught:
            resume()
        assert caught.value.field in words
