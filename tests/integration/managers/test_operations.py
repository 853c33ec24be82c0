"""Each change by an actor has one entry in the audit, in its transaction; an operation is done once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from tests.inner import new_id
from tests.integration.making import ON_SERVERS
from tests.manual_clock import ManualClock
from tickerq_celery import CronTicker, Run, TickerQ, TimeTicker
from tickerq_celery.enums import AuditOutcome, TickerStatus
from tickerq_celery.errors import (
    OperationReusedError,
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
)
from tickerq_celery.views import Actor, AuditEntry

ANA = Actor("ana", role="admin", address="10.0.0.7", via="dashboard", request_id="r-1")
IN_AN_HOUR = timedelta(hours=1)


def waiting(tickerq: TickerQ) -> Run:
    return tickerq.time_tickers.add(TimeTicker("Send", delay=IN_AN_HOUR))


def entries(tickerq: TickerQ) -> list[AuditEntry]:
    """Return all of the audit, the oldest first."""
    return list(tickerq.audit.iterate())[::-1]


def entry(tickerq: TickerQ) -> AuditEntry:
    (only,) = entries(tickerq)
    return only


def test_an_entry_says_who_did_what_to_which_run(tickerq: TickerQ, clock: ManualClock) -> None:
    run = waiting(tickerq)
    tickerq.acting_as(ANA).runs.cancel(run.id, reason="wrong month")
    found = entry(tickerq)
    assert (found.action, found.outcome, found.object_kind) == ("runs.cancel", AuditOutcome.DONE, "run")
    assert (found.object_id, found.ids, found.count) == (str(run.id), (run.id,), 1)
    assert (found.before, found.after) == ({"status": "Idle"}, {"status": "Cancelled"})
    assert (found.actor, found.role, found.address) == ("ana", "admin", "10.0.0.7")
    assert (found.via, found.request_id, found.reason, found.said_by) == (
        "dashboard",
        "r-1",
        "wrong month",
        None,
    )
    assert (found.at, found.error) == (clock.now(), None)


def test_a_cancelled_run_says_by_whom_and_why(tickerq: TickerQ) -> None:
    run = tickerq.acting_as(ANA).runs.cancel(waiting(tickerq).id, reason="wrong month")
    assert run.skipped_reason == "cancelled before it ran by ana: wrong month"


def test_code_is_named_so_and_by_is_kept(tickerq: TickerQ) -> None:
    run = tickerq.runs.cancel(waiting(tickerq).id, by="Ben")
    found = entry(tickerq)
    assert (found.actor, found.said_by) == ("code", "Ben")
    assert run.skipped_reason == "cancelled before it ran by Ben"


def test_a_pause_shows_what_is_different(tickerq: TickerQ, clock: ManualClock) -> None:
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 9 * * *"))
    paused = tickerq.acting_as(ANA).cron_tickers.pause(cron.id, reason="holiday")
    found = entry(tickerq)
    assert (paused.paused_by, found.action, found.object_id) == ("ana", "cron_tickers.pause", str(cron.id))
    assert cron.next_run_at is not None
    instant = cron.next_run_at.isoformat()
    assert found.before == {
        "is_enabled": True,
        "paused_reason": None,
        "paused_by": None,
        "paused_at": None,
        "resume_from": None,
        "next_run_at": instant,
    }
    assert found.after == {
        "is_enabled": False,
        "paused_reason": "holiday",
        "paused_by": "ana",
        "paused_at": clock.now().isoformat(),
        "resume_from": instant,
        "next_run_at": None,
    }


def test_what_changes_nothing_says_so(tickerq: TickerQ) -> None:
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 9 * * *", is_enabled=False))
    tickerq.cron_tickers.pause(cron.id, reason="holiday")
    tickerq.cron_tickers.pause(cron.id, reason="again")
    assert [each.outcome for each in entries(tickerq)] == ["done", "unchanged"]


def test_an_operation_is_not_repeated_once_it_could_be_done_again(tickerq: TickerQ) -> None:
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 9 * * *"))
    once = Actor("ana", operation_id=str(new_id()))
    tickerq.acting_as(once).cron_tickers.pause(cron.id)
    tickerq.cron_tickers.resume(cron.id)
    assert tickerq.acting_as(once).cron_tickers.pause(cron.id).is_enabled


def test_an_id_that_served_for_another_verb_or_other_arguments_is_refused(tickerq: TickerQ) -> None:
    first, other = waiting(tickerq), waiting(tickerq)
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    acting.runs.cancel(first.id)
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 9 * * *"))
    with pytest.raises(OperationReusedError, match=r"for runs\.cancel"):
        acting.runs.cancel(other.id)
    with pytest.raises(OperationReusedError):
        acting.runs.cancel(first.id, reason="another reason")
    with pytest.raises(OperationReusedError):
        acting.cron_tickers.pause(cron.id)
    assert tickerq.runs.get(other.id).status is TickerStatus.IDLE
    assert tickerq.cron_tickers.get(cron.id).is_enabled


def test_an_id_that_served_for_the_same_verb_with_another_argument_is_refused(tickerq: TickerQ) -> None:
    run = waiting(tickerq)
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 9 * * *"))
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    acting.time_tickers.update(run.id, description="first")
    with pytest.raises(OperationReusedError, match=r"for time_tickers\.update"):
        acting.time_tickers.update(run.id, description="second")
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    acting.cron_tickers.run_now(cron.id, request={"to": "ana"})
    with pytest.raises(OperationReusedError):
        acting.cron_tickers.run_now(cron.id, request={"to": "bob"})
    assert tickerq.runs.get(run.id).description == "first"


def test_a_refused_operation_does_not_use_up_its_id(tickerq: TickerQ) -> None:
    run = waiting(tickerq)
    tickerq.runs.cancel(run.id)
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    with pytest.raises(TickerStateError):
        acting.runs.cancel(run.id)
    tickerq.runs.retry(run.id)
    assert acting.runs.cancel(run.id).status is TickerStatus.CANCELLED


def test_refusals_of_a_minute_are_counted_in_one_entry(tickerq: TickerQ, clock: ManualClock) -> None:
    acting = tickerq.acting_as(ANA)
    for _ in range(3):
        with pytest.raises(TickerNotFoundError):
            acting.runs.cancel(UUID(int=7))
    found = entry(tickerq)
    assert (found.outcome, found.count, found.object_id) == ("refused", 3, str(UUID(int=7)))
    assert found.error == f"no run has the id {UUID(int=7)}"
    clock.advance(minutes=1)
    with pytest.raises(TickerNotFoundError):
        acting.runs.cancel(UUID(int=8))
    with pytest.raises(TickerNotFoundError):
        acting.cron_tickers.pause(UUID(int=8))
    assert [each.count for each in entries(tickerq)] == [3, 1, 1]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 201), ("name", "code"), ("role", "a\nb"), ("operation_id", "seven")],
)
def test_an_actor_that_cannot_be_stored_is_refused(field: str, value: str) -> None:
    with pytest.raises(TickerValidationError, match=field):
        Actor(**{"name": "ana", field: value})


@pytest.mark.parametrize("actor", [7, None])
def test_what_is_no_actor_cannot_act(tickerq: TickerQ, actor: Any) -> None:
    with pytest.raises(TickerValidationError, match="actor: pass a name, or an Actor"):
        tickerq.acting_as(actor)


@contextmanager
def first_halted(tickerq: TickerQ, statement: str) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Let the first that sends such a statement wait, once it is done, until it may go on."""
    arrived, may_go = threading.Event(), threading.Event()

    def halt(connection: object, cursor: object, text: str, *_: object) -> None:
        if text.startswith(statement) and not arrived.is_set():
            arrived.set()
            assert may_go.wait(30)

    engine = tickerq.core.database.engine
    event.listen(engine, "after_cursor_execute", halt)
    yield arrived, may_go
    event.remove(engine, "after_cursor_execute", halt)


@pytest.mark.parametrize("store_url", [*ON_SERVERS, "sqlite"], indirect=True)
def test_an_operation_submitted_twice_at_once_is_done_once_and_both_get_its_result(
    tickerq: TickerQ,
) -> None:
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 9 * * *"))
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    with (
        first_halted(tickerq, "INSERT INTO tickerq_audit") as (arrived, may_go),
        ThreadPoolExecutor(2) as pool,
    ):
        first = pool.submit(acting.cron_tickers.pause, cron.id, reason="holiday")
        assert arrived.wait(30)
        second = pool.submit(acting.cron_tickers.pause, cron.id, reason="holiday")
        # It stands at the key that the first has taken, and has changed nothing.
        with pytest.raises(TimeoutError):
            second.result(timeout=0.5)
        may_go.set()
        assert first.result(30) == second.result(30)
    assert entry(tickerq).count == 1
