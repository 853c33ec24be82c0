"""Every changing verb in a caller's transaction commits with it, or leaves nothing."""

import asyncio
import inspect
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from tests.forked import in_a_child
from tests.inner import new_id
from tests.integration.apps import async_caller_engine, change_row, messages, row_of
from tests.integration.pruning import count_ends
from tests.integration.stats.rolling import rolled_up
from tests.manual_clock import START, ManualClock
from tests.unit.verbs import changing_verbs
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import (
    OperationReusedError,
    TickerBusyError,
    TickerChangedError,
    TickerNotFoundError,
    TickerStateError,
    TickerValidationError,
)
from tickerq_celery.views import Actor

LATER = TimeTicker(function="Send", delay=3_600, unique_key="order 7")
DAILY = CronTicker(function="Send", expression="0 9 * * *")
FAILED = {
    "status": TickerStatus.FAILED,
    "ended_status": TickerStatus.FAILED,
    "ended_at": START,
    "due_at": None,
}
Verb = Callable[[TickerQ, Any, Any], object]


# What makes something has nothing that its caller has seen; what it makes says itself who made it, and why.
MAKES = {"expected", "reason", "by"}
LACKING = {
    "audit.record": {"expected", "by"},
    "bulk.start": {"expected"},
    "stats.rebuild": {"expected"},
    **dict.fromkeys(
        ("cron_tickers.add", "cron_tickers.add_batch", "time_tickers.add", "time_tickers.add_batch"), MAKES
    ),
}


def test_every_verb_that_changes_what_is_there_takes_a_session_who_why_and_what_was_seen() -> None:
    wanted = {"session", "expected", "reason", "by"}
    verbs = changing_verbs().items()
    lacking = {name: wanted - inspect.signature(verb).parameters.keys() for name, verb in verbs}
    assert {name: names for name, names in lacking.items() if names} == LACKING


def test_every_verb_that_changes_something_has_a_case_here() -> None:
    assert set(VERBS) == set(changing_verbs())


def run_of(tickerq: TickerQ, **columns: Any) -> Any:
    run = tickerq.time_tickers.add(LATER)
    if columns:
        change_row(tickerq, run.id, **columns)
    return run.id


def cron_of(tickerq: TickerQ, *, is_paused: bool = False) -> Any:
    cron = tickerq.cron_tickers.add(DAILY)
    if is_paused:
        tickerq.cron_tickers.pause(cron.id)
    return cron.id


def state(tickerq: TickerQ) -> object:
    """Return all that the verbs change."""
    runs = sorted((run.id, run.status, run.next_attempt_at, run.tags) for run in tickerq.runs.find())
    crons = tickerq.cron_tickers.find()
    shown = sorted((cron.id, cron.is_enabled, cron.next_run_at, cron.expression, cron.tags) for cron in crons)
    records = [entry.action for entry in tickerq.audit.find(object_kind="host")]
    own = {
        key: each
        for key, each in rolled_up(tickerq.core).items()
        if key.namespace == tickerq.config.namespace
    }
    jobs = [(job.id, job.state) for job in tickerq.bulk.find()]
    return runs, shown, tickerq.pauses.find(), jobs, records, own


def job_of(tickerq: TickerQ) -> Any:
    return tickerq.bulk.start("cancel", everything=True).id


def pause_of(tickerq: TickerQ) -> Any:
    tickerq.pauses.pause(function="Send")


def dead(tickerq: TickerQ) -> Any:
    """Return a run in progress on a node that is gone."""
    return run_of(
        tickerq, status=TickerStatus.IN_PROGRESS, due_at=None, running_on=new_id(), claim_no=1,
        locked_at=START, started_at=START,
    )  # fmt: skip


def edited(tickerq: TickerQ) -> Any:
    """Return a cron ticker whose expression is not that of its code."""
    tickerq.function("Daily", cron="0 9 * * *")(lambda: None)
    tickerq.seed()
    [cron] = tickerq.cron_tickers.find()
    return tickerq.cron_tickers.update(cron.id, expression="0 10 * * *").id


def uncounted_end(tickerq: TickerQ) -> Any:
    """Return a run that ended in an hour that the roll-up has counted, and was not counted."""
    run = run_of(tickerq, **FAILED | {"ended_at": START - timedelta(minutes=90)})
    count_ends(tickerq.core)
    return run


VERBS: dict[str, tuple[Callable[[TickerQ], Any], Verb]] = {
    "audit.record": (cron_of, lambda t, each, s: t.audit.record("shop.log_in", session=s)),
    "stats.rebuild": (
        uncounted_end,
        lambda t, each, s: t.stats.rebuild(
            START - timedelta(hours=2), START - timedelta(hours=1), session=s
        ),
    ),
    "runs.cancel": (run_of, lambda t, each, s: t.runs.cancel(each, session=s)),
    "runs.retry": (lambda t: run_of(t, **FAILED), lambda t, each, s: t.runs.retry(each, session=s)),
    "runs.delete": (run_of, lambda t, each, s: t.runs.delete(each, session=s)),
    "runs.delete_batch": (run_of, lambda t, each, s: t.runs.delete_batch([each], session=s)),
    "runs.release": (dead, lambda t, each, s: t.runs.release(each, session=s)),
    "runs.mark_failed": (dead, lambda t, each, s: t.runs.mark_failed(each, session=s)),
    "time_tickers.add": (cron_of, lambda t, each, s: t.time_tickers.add(LATER, session=s)),
    "time_tickers.add_batch": (cron_of, lambda t, each, s: t.time_tickers.add_batch([LATER], session=s)),
    "time_tickers.update": (
        run_of, lambda t, each, s: t.time_tickers.update(each, session=s, tags=["eu"])
    ),
    "time_tickers.update_batch": (
        run_of, lambda t, each, s: t.time_tickers.update_batch({each: {"tags": ["eu"]}}, session=s)
    ),
    "time_tickers.cancel": (
        run_of, lambda t, each, s: t.time_tickers.cancel(unique_key="order 7", session=s)
    ),
    "time_tickers.retry": (
        lambda t: run_of(t, **FAILED), lambda t, each, s: t.time_tickers.retry(each, session=s)
    ),
    "time_tickers.run_now": (run_of, lambda t, each, s: t.time_tickers.run_now(each, session=s)),
    "time_tickers.clone": (run_of, lambda t, each, s: t.time_tickers.clone(each, session=s)),
    "time_tickers.delete": (run_of, lambda t, each, s: t.time_tickers.delete(each, session=s)),
    "time_tickers.delete_batch": (run_of, lambda t, each, s: t.time_tickers.delete_batch([each], session=s)),
    "cron_tickers.add": (run_of, lambda t, each, s: t.cron_tickers.add(DAILY, session=s)),
    "cron_tickers.add_batch": (run_of, lambda t, each, s: t.cron_tickers.add_batch([DAILY], session=s)),
    "cron_tickers.update": (
        cron_of, lambda t, each, s: t.cron_tickers.update(each, session=s, tags=["eu"])
    ),
    "cron_tickers.update_batch": (
        cron_of, lambda t, each, s: t.cron_tickers.update_batch({each: {"tags": ["eu"]}}, session=s)
    ),
    "cron_tickers.revert_to_code": (
        edited, lambda t, each, s: t.cron_tickers.revert_to_code(each, session=s)
    ),
    "cron_tickers.pause": (cron_of, lambda t, each, s: t.cron_tickers.pause(each, session=s)),
    "cron_tickers.resume": (
        lambda t: cron_of(t, is_paused=True), lambda t, each, s: t.cron_tickers.resume(each, session=s)
    ),
    "cron_tickers.pause_batch": (cron_of, lambda t, each, s: t.cron_tickers.pause_batch([each], session=s)),
    "cron_tickers.resume_batch": (
        lambda t: cron_of(t, is_paused=True),
        lambda t, each, s: t.cron_tickers.resume_batch([each], session=s),
    ),
    "cron_tickers.skip_next": (cron_of, lambda t, each, s: t.cron_tickers.skip_next(each, session=s)),
    "cron_tickers.unskip_next": (
        lambda t: t.cron_tickers.skip_next(cron_of(t)).id,
        lambda t, each, s: t.cron_tickers.unskip_next(each, session=s),
    ),
    "cron_tickers.backfill": (
        cron_of,
        lambda t, each, s: t.cron_tickers.backfill(each, START - timedelta(days=2), START, session=s),
    ),
    "cron_tickers.run_now": (cron_of, lambda t, each, s: t.cron_tickers.run_now(each, session=s)),
    "cron_tickers.run_now_batch": (
        cron_of, lambda t, each, s: t.cron_tickers.run_now_batch([each], session=s)
    ),
    "cron_tickers.delete": (cron_of, lambda t, each, s: t.cron_tickers.delete(each, session=s)),
    "cron_tickers.delete_batch": (cron_of, lambda t, each, s: t.cron_tickers.delete_batch([each], session=s)),
    "pauses.pause": (cron_of, lambda t, each, s: t.pauses.pause(function="Send", session=s)),
    "pauses.resume": (pause_of, lambda t, each, s: t.pauses.resume(function="Send", session=s)),
    "bulk.start": (run_of, lambda t, each, s: t.bulk.start("cancel", everything=True, session=s)),
    "bulk.stop": (job_of, lambda t, each, s: t.bulk.stop(each, session=s)),
    "chains.retry_failed": (
        lambda t: run_of(t, **FAILED), lambda t, each, s: t.chains.retry_failed(each, session=s)
    ),
    "chains.cancel_rest": (run_of, lambda t, each, s: t.chains.cancel_rest(each, session=s)),
}  # fmt: skip


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_changes_nothing_unless_its_callers_transaction_commits(
    tickerq: TickerQ, engine: Engine, name: str
) -> None:
    make, verb = VERBS[name]
    each = make(tickerq)
    before = state(tickerq)
    with Session(engine) as session:
        verb(tickerq, each, session)
        session.rollback()
    assert state(tickerq) == before
    with Session(engine) as session:
        verb(tickerq, each, session)
        session.commit()
    assert state(tickerq) != before
    assert [entry.action for entry in tickerq.audit.find()].count(name) <= 1


def test_what_a_caller_has_made_itself_is_cancelled_cloned_and_retried_in_the_same_transaction(
    tickerq: TickerQ, engine: Engine
) -> None:
    with Session(engine) as session:
        run = tickerq.time_tickers.add(LATER, session=session)
        copy = tickerq.time_tickers.clone(run.id, session=session, delay=0)
        cancelled = tickerq.time_tickers.cancel(unique_key="order 7", session=session)
        assert (cancelled.id, cancelled.status) == (run.id, TickerStatus.CANCELLED)
        assert tickerq.runs.retry(run.id, session=session).status is TickerStatus.IDLE
        assert messages(tickerq) == []
        session.commit()
    sent = [each.headers["ticker"][0] for each in messages(tickerq) if "ticker" in each.headers]
    assert sorted(sent) == sorted(map(str, (run.id, copy.id)))


def test_workers_are_notified_of_a_cancel_once_it_is_committed_and_never_of_one_that_is_not(
    tickerq: TickerQ, engine: Engine
) -> None:
    cancels: list[Verb] = [
        lambda tickerq, each, session: tickerq.runs.cancel(each, session=session),
        lambda tickerq, each, session: tickerq.chains.cancel_rest(each, session=session),
    ]
    for cancel in cancels:
        run_id = run_of(tickerq)
        with Session(engine) as session:
            cancel(tickerq, run_id, session)
            session.rollback()
            assert messages(tickerq) == []
            cancel(tickerq, run_id, session)
            assert messages(tickerq) == []
            session.commit()
        [message] = messages(tickerq)
        assert str(run_id) in message.headers["argsrepr"]


def test_an_asynchronous_session_takes_every_verb_too(tickerq: TickerQ, store_url: str) -> None:
    async def cancel_both() -> None:
        async with AsyncSession(engine) as session, session.begin():
            await tickerq.aio.runs.cancel(unique_key="order 7", session=session)
            await tickerq.aio.cron_tickers.pause(cron_id, session=session)
        await engine.dispose()

    run_id, cron_id = run_of(tickerq), cron_of(tickerq)
    engine = async_caller_engine(store_url)
    asyncio.run(cancel_both())
    assert row_of(tickerq, run_id).status is TickerStatus.CANCELLED
    assert not tickerq.cron_tickers.get(cron_id).is_enabled


def test_a_key_that_no_active_run_holds_cancels_nothing(tickerq: TickerQ, engine: Engine) -> None:
    tickerq.runs.cancel(run_of(tickerq))
    missing = "there is no active run of unique key 'order 7'"
    with pytest.raises(TickerNotFoundError, match=missing):
        tickerq.runs.cancel(unique_key="order 7")
    with Session(engine) as session, pytest.raises(TickerNotFoundError, match=missing):
        tickerq.runs.cancel(unique_key="order 7", session=session)
    run_id = run_of(tickerq)
    for wrong in ({}, {"ticker_id": run_id, "unique_key": "order 7"}):
        with pytest.raises(
            TickerValidationError, match="unique_key: pass an id or a unique key, one of them"
        ):
            tickerq.runs.cancel(**wrong)
    assert tickerq.runs.cancel(unique_key="order 7").id == run_id


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_a_run_that_another_process_keeps_locked_is_not_waited_for_and_the_session_goes_on(
    tickerq: TickerQ, engine: Engine
) -> None:
    run_id, other = run_of(tickerq), tickerq.time_tickers.add(TimeTicker("Send", delay=60)).id
    with Session(engine) as stalled, Session(engine) as session:
        tickerq.time_tickers.update(run_id, session=stalled, tags=["a"])
        with pytest.raises(TickerBusyError):
            tickerq.runs.cancel(run_id, session=session)
        tickerq.runs.cancel(other, session=session)
        session.commit()
    assert row_of(tickerq, other).status is TickerStatus.CANCELLED


def test_a_clone_says_who_made_it_why_and_of_what_they_had_seen(tickerq: TickerQ, clock: ManualClock) -> None:
    seen = tickerq.runs.get(run_of(tickerq))
    ann = tickerq.acting_as("ann")
    copy = ann.time_tickers.clone(seen.id, expected=seen, reason="once more", by="bob")
    entry = tickerq.audit.find(action="time_tickers.clone")[0]
    assert (entry.actor, entry.said_by, entry.reason, entry.ids) == ("ann", "bob", "once more", (copy.id,))
    clock.advance(seconds=1)
    tickerq.time_tickers.update(seen.id, tags=["eu"])
    with pytest.raises(TickerChangedError):
        tickerq.time_tickers.clone(seen.id, expected=seen)


def test_a_pause_and_the_stop_of_a_job_are_of_what_their_caller_has_seen(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    first = tickerq.pauses.pause(function="Send")
    assert tickerq.pauses.pause(function="Send", expected=first) == first
    tickerq.pauses.resume(function="Send")
    with pytest.raises(TickerNotFoundError):
        tickerq.pauses.pause(function="Send", expected=first)
    clock.advance(seconds=1)
    tickerq.pauses.pause(function="Send")
    with pytest.raises(TickerChangedError):
        tickerq.pauses.pause(function="Send", expected=first)
    job = tickerq.bulk.start("cancel", everything=True)
    with pytest.raises(TickerChangedError):
        tickerq.bulk.stop(job.id, expected="another")
    assert tickerq.bulk.stop(job.id, expected=job).has_ended


def test_in_a_block_of_an_actor_all_of_a_tickerq_acts_for_them(tickerq: TickerQ) -> None:
    send = tickerq.function("Post")(lambda: None)
    with tickerq.acting_as("ann"):
        run = send.schedule(delay=60)
        with tickerq.acting_as(Actor("bob", role="admin")) as bob:
            tickerq.runs.cancel(run.id)
            assert bob.runs.get(run.id).status is TickerStatus.CANCELLED
        tickerq.runs.retry(run.id)
    tickerq.runs.cancel(run.id)
    assert [(entry.action, entry.actor) for entry in tickerq.audit.find()] == [
        ("runs.cancel", "code"), ("runs.retry", "ann"), ("runs.cancel", "bob"), ("time_tickers.add", "ann"),
    ]  # fmt: skip


@pytest.mark.parametrize("is_node", [False, True])
def test_a_process_that_is_forked_in_a_block_acts_so_too(tickerq: TickerQ, is_node: bool) -> None:
    run_id = run_of(tickerq)

    def act() -> int:
        if is_node:
            # As a child of a worker's pool.
            tickerq._process.own("w1@shop")
        tickerq.runs.cancel(run_id)
        return os.getpid()

    with tickerq.acting_as("ann"):
        assert in_a_child(act) != os.getpid()
    assert [entry.actor for entry in tickerq.audit.find(action="runs.cancel")] == ["ann"]


def test_a_block_ends_with_an_error_too(tickerq: TickerQ) -> None:
    with pytest.raises(TickerStateError), tickerq.acting_as("ann"):
        raise TickerStateError(tickerq.core.node.id, "a", "b")
    assert tickerq.time_tickers.add(LATER).created_by is None


def test_an_operation_of_a_session_is_done_once(tickerq: TickerQ, engine: Engine) -> None:
    run_id = run_of(tickerq)
    once = tickerq.acting_as(Actor("ann", operation_id=tickerq.core.node.id))
    for _ in range(2):
        with Session(engine) as session:
            assert once.runs.cancel(run_id, session=session).status is TickerStatus.CANCELLED
            session.commit()
    with Session(engine) as session, pytest.raises(OperationReusedError):
        once.runs.delete(run_id, session=session)


@pytest.mark.parametrize("in_session", [False, True])
def test_a_cancel_by_a_unique_key_is_done_once_and_each_repeat_returns_the_run(
    tickerq: TickerQ, engine: Engine, in_session: bool
) -> None:
    first = run_of(tickerq)
    once = tickerq.acting_as(Actor("ann", operation_id=tickerq.core.node.id))
    for _ in range(2):
        with Session(engine) as session:
            run = once.runs.cancel(unique_key="order 7", session=session if in_session else None)
            session.commit()
        assert (run.id, run.status) == (first, TickerStatus.CANCELLED)
        # The key is free, and the next run that has it is not meant.
        second = tickerq.time_tickers.add(LATER, on_conflict="return_existing").id
    assert row_of(tickerq, second).status is TickerStatus.IDLE
    with pytest.raises(OperationReusedError):
        once.runs.cancel(unique_key="order 8")
    with pytest.raises(OperationReusedError):
        once.runs.cancel(first)
    with pytest.raises(OperationReusedError):
        tickerq.acting_as(once_more(tickerq)).runs.cancel(unique_key="order 7")


def once_more(tickerq: TickerQ) -> Actor:
    """Return an actor whose operation id has served for something else."""
    actor = Actor("ann", operation_id=new_id())
    tickerq.acting_as(actor).pauses.pause(function="Send")
    return actor


@pytest.mark.parametrize("outcome", ["done", "refused"])
def test_a_record_of_a_host_commits_with_its_caller(tickerq: TickerQ, engine: Engine, outcome: Any) -> None:
    for commits in (False, True):
        with Session(engine) as session:
            tickerq.audit.record("shop.log_in", outcome, session=session)
            session.commit() if commits else session.rollback()
        assert len(tickerq.audit.find(action="shop.log_in")) == commits
