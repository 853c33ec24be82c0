"""Unique keys: one ticker that is not terminal a key, and what becomes of the next one."""

import uuid
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from tests.integration.apps import (
    dispatch_due,
    enrol_worker,
    execute,
    published,
    row_of,
)
from tests.integration.making import ON_SERVERS, at_once
from tests.manual_clock import START, ManualClock
from tests.tables import tickers
from tickerq_celery import Run, TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import DuplicateTickerError, TickerNotFoundError, TickerValidationError

CHOICES = ["raise", "return_existing", "replace"]
LEVELS = ["READ COMMITTED", "REPEATABLE READ"]
LATER = START + timedelta(hours=1)
on_servers = pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
at_levels = pytest.mark.parametrize("level", LEVELS)


def keyed(key: str = "k", **fields: Any) -> TimeTicker:
    return TimeTicker(function="Send", **{"unique_key": key, "execution_time": LATER, **fields})


def add(tickerq: TickerQ, on_conflict: Any = "raise", *, session: object = None, **fields: Any) -> Run:
    return tickerq.time_tickers.add(keyed(**fields), session=session, on_conflict=on_conflict)


def ids(tickerq: TickerQ) -> set[uuid.UUID]:
    return {run.id for run in tickerq.time_tickers.find()}


def take_snapshot(session: Session) -> None:
    session.execute(select(func.count()).select_from(tickers)).one()


@pytest.mark.parametrize("choice", CHOICES)
def test_a_free_key_is_taken_whatever_is_asked_for(tickerq: TickerQ, choice: str) -> None:
    run = add(tickerq, choice)
    assert ids(tickerq) == {run.id}
    assert row_of(tickerq, run.id).active_key == "k"


def test_the_existing_ticker_is_returned_as_it_is(tickerq: TickerQ) -> None:
    first = add(tickerq, description="the first")
    other = add(tickerq, "return_existing", description="the second")
    assert (other.id, other.description) == (first.id, "the first")
    assert ids(tickerq) == {first.id}


def test_a_ticker_that_runs_is_returned_too(tickerq: TickerQ) -> None:
    seen: list[Run] = []

    def body(context: TickerContext[Any]) -> None:
        seen.append(
            tickerq.time_tickers.add(
                TimeTicker(function="Body", unique_key="k"), on_conflict="return_existing"
            )
        )

    tickerq.function("Body")(body)
    enrol_worker(tickerq)
    run = tickerq.time_tickers.add(TimeTicker(function="Body", unique_key="k"))
    execute(tickerq)
    assert [(each.id, each.status) for each in seen] == [(run.id, TickerStatus.IN_PROGRESS)]


def test_an_idle_ticker_is_replaced(tickerq: TickerQ) -> None:
    first = add(tickerq)
    second = add(tickerq, "replace", execution_time=None, description="the second")
    assert ids(tickerq) == {second.id}
    assert row_of(tickerq, second.id).description == "the second"
    assert published(tickerq) == [second.id]
    with pytest.raises(TickerNotFoundError):
        tickerq.time_tickers.get(first.id)


def test_a_ticker_that_was_claimed_is_not_replaced(tickerq: TickerQ) -> None:
    first = add(tickerq, execution_time=None)
    with pytest.raises(DuplicateTickerError) as caught:
        add(tickerq, "replace")
    assert caught.value.unique_key == "k"
    assert ids(tickerq) == {first.id}


@pytest.mark.parametrize("choice", CHOICES)
def test_the_key_of_a_terminal_ticker_is_free(tickerq: TickerQ, choice: str) -> None:
    first = add(tickerq, execution_time=None)
    execute(tickerq)
    second = add(tickerq, choice)
    assert ids(tickerq) == {first.id, second.id}


@pytest.mark.parametrize("choice", CHOICES)
def test_a_key_is_unique_in_its_namespace_only(tickerq: TickerQ, namespace: str, choice: str) -> None:
    first = add(tickerq)
    other = tickerq.time_tickers.add(
        keyed(namespace=f"{namespace}-b"), on_conflict=choice, allow_unknown=True
    )
    assert other.id != first.id
    assert ids(tickerq) == {first.id}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_makes_no_sense_is_refused_and_stores_nothing(tickerq: TickerQ) -> None:
    with pytest.raises(TickerValidationError, match="pass one of raise, return_existing, replace"):
        add(tickerq, "ignore")
    with pytest.raises(TickerValidationError, match="without unique_key"):
        tickerq.time_tickers.add_batch([keyed(), TimeTicker(function="Send")], on_conflict="replace")
    for choice in CHOICES:
        with pytest.raises(DuplicateTickerError):
            tickerq.time_tickers.add_batch([keyed(), keyed()], on_conflict=choice)
    assert ids(tickerq) == set()


def test_each_ticker_of_a_batch_is_judged_by_its_own_key(tickerq: TickerQ) -> None:
    taken = add(tickerq, key="b")
    batch = [keyed(key) for key in ("a", "b", "c")]
    runs = tickerq.time_tickers.add_batch(batch, on_conflict="return_existing")
    assert [run.unique_key for run in runs] == ["a", "b", "c"]
    assert runs[1].id == taken.id
    assert ids(tickerq) == {run.id for run in runs}


def test_a_batch_that_cannot_replace_one_replaces_none(tickerq: TickerQ) -> None:
    idle, claimed = add(tickerq, key="a"), add(tickerq, key="b", execution_time=None)
    with pytest.raises(DuplicateTickerError):
        tickerq.time_tickers.add_batch([keyed("a"), keyed("b")], on_conflict="replace")
    assert ids(tickerq) == {idle.id, claimed.id}


def test_a_function_schedules_itself_by_the_short_form(tickerq: TickerQ) -> None:
    function = tickerq.function("Short")(lambda: None)
    first = function.schedule(delay=60, unique_key="k")
    assert function.schedule(delay=60, unique_key="k", on_conflict="return_existing").id == first.id
    assert function.schedule(delay=60, unique_key="k", on_conflict="replace").id != first.id


@on_servers
@at_levels
def test_a_key_that_was_taken_after_the_callers_snapshot_is_found(
    tickerq: TickerQ, engine: Engine, level: Any
) -> None:
    with Session(engine.execution_options(isolation_level=level)) as session:
        take_snapshot(session)
        taken = add(tickerq)
        assert add(tickerq, "return_existing", session=session).id == taken.id
        kept = add(tickerq, session=session, key="other")
        session.commit()
    assert ids(tickerq) == {taken.id, kept.id}


@on_servers
@at_levels
def test_a_holder_that_has_ended_after_the_callers_snapshot_is_not_returned(
    tickerq: TickerQ, engine: Engine, level: Any
) -> None:
    with Session(engine.execution_options(isolation_level=level)) as session:
        old = add(tickerq, execution_time=None)
        take_snapshot(session)
        execute(tickerq)
        new = add(tickerq, "return_existing", session=session)
        session.commit()
    assert new.id != old.id
    assert ids(tickerq) == {old.id, new.id}


@on_servers
@at_levels
def test_a_holder_that_came_after_the_one_in_the_snapshot_is_returned(
    tickerq: TickerQ, engine: Engine, level: Any
) -> None:
    with Session(engine.execution_options(isolation_level=level)) as session:
        add(tickerq, execution_time=None)
        take_snapshot(session)
        execute(tickerq)
        newer = add(tickerq)
        assert add(tickerq, "return_existing", session=session).id == newer.id
        session.commit()


@on_servers
@at_levels
def test_what_the_callers_snapshot_cannot_replace_is_refused_and_the_transaction_goes_on(
    tickerq: TickerQ, engine: Engine, level: Any
) -> None:
    with Session(engine.execution_options(isolation_level=level)) as session:
        take_snapshot(session)
        taken = add(tickerq)
        if level == "READ COMMITTED":
            kept = add(tickerq, "replace", session=session)
            expected = {kept.id}
        else:
            with pytest.raises(DuplicateTickerError):
                add(tickerq, "replace", session=session)
            kept = add(tickerq, session=session, key="other")
            expected = {taken.id, kept.id}
        session.commit()
    assert ids(tickerq) == expected


@pytest.mark.parametrize("choice", CHOICES)
def test_the_callers_own_uncommitted_ticker_holds_its_key(
    tickerq: TickerQ, engine: Engine, choice: str
) -> None:
    with Session(engine) as session:
        first = add(tickerq, session=session)
        if choice == "raise":
            with pytest.raises(DuplicateTickerError):
                add(tickerq, session=session)
            expected = first
        else:
            expected = add(tickerq, choice, session=session)
            assert (expected.id == first.id) is (choice == "return_existing")
        session.commit()
    assert ids(tickerq) == {expected.id}


def test_a_replacement_that_is_rolled_back_leaves_the_old_one(tickerq: TickerQ, engine: Engine) -> None:
    old = add(tickerq)
    with Session(engine) as session:
        add(tickerq, "replace", session=session)
        session.rollback()
    assert ids(tickerq) == {old.id}


def test_a_run_that_completes_may_schedule_its_successor_under_its_own_key(
    tickerq: TickerQ, engine: Engine
) -> None:
    def body(context: TickerContext[Any]) -> None:
        with Session(engine) as session, session.begin():
            context.complete_in(session)
            add(tickerq, "return_existing", session=session)

    tickerq.function("Body")(body)
    enrol_worker(tickerq)
    first = tickerq.time_tickers.add(TimeTicker(function="Body", unique_key="k"))
    execute(tickerq)
    [second] = ids(tickerq) - {first.id}
    assert row_of(tickerq, first.id).status is TickerStatus.DONE
    assert row_of(tickerq, second).due_at == LATER


@pytest.mark.row_locks
@on_servers
@pytest.mark.parametrize("choice", ["return_existing", "replace"])
def test_of_many_that_come_at_once_one_ticker_stays(tickerq: TickerQ, choice: str) -> None:
    runs = at_once(*[partial(add, tickerq, choice)] * 6)
    [stored] = ids(tickerq)
    assert stored in {run.id for run in runs}
    assert len({run.id for run in runs}) == (1 if choice == "return_existing" else 6)


def test_a_ticker_that_waits_for_its_retry_is_replaced_with_its_attempts(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    def body() -> None:
        raise OSError("no route")

    tickerq.function("Fails")(body)
    enrol_worker(tickerq)
    old = tickerq.time_tickers.add(TimeTicker(function="Fails", unique_key="k", retries=3))
    execute(tickerq)
    new = add(tickerq, "replace")
    assert ids(tickerq) == {new.id}
    clock.advance(minutes=5)
    dispatch_due(tickerq)
    assert published(tickerq) == []
    assert row_of(tickerq, old.id) is None


def test_a_chain_gives_way_or_is_replaced_as_a_whole(tickerq: TickerQ) -> None:
    chain = keyed(children=[TimeTicker(function="Send", description="the child")])
    old = tickerq.time_tickers.add(chain)
    assert tickerq.time_tickers.add(chain, on_conflict="return_existing").id == old.id
    assert len(ids(tickerq)) == 2
    new = tickerq.time_tickers.add(chain, on_conflict="replace")
    [child] = ids(tickerq) - {new.id}
    assert row_of(tickerq, child).parent_id == new.id


def test_a_childs_taken_key_stores_nothing_of_its_chain(tickerq: TickerQ) -> None:
    taken = add(tickerq, key="b")
    chain = keyed("a", children=[TimeTicker(function="Send", unique_key="b")])
    for choice in CHOICES:
        with pytest.raises(DuplicateTickerError) as caught:
            tickerq.time_tickers.add(chain, on_conflict=choice)
        assert caught.value.unique_key == "b"
    assert ids(tickerq) == {taken.id}
