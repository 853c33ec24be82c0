"""complete_in: a run's effects and its end commit together; each other course of events is distinct."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from tests.inner import DropReason
from tests.integration.apps import (
    add_run,
    async_caller_engine,
    caller_engine,
    change_row,
    dispatch_due,
    enrol_worker,
    execute,
    published,
    row_of,
    ticker_app,
)
from tests.integration.making import ON_SERVERS, another_node, rescue
from tests.manual_clock import ManualClock
from tests.statements import starts
from tests.tables import tickers
from tickerq_celery import RunCondition, TickerContext, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import (
    ClaimSupersededError,
    OtherDatabaseError,
    TickerStateError,
    TickerValidationError,
)

Context = TickerContext[Any]
effects = Table("effects", MetaData(), Column("run", String(36)))
on_servers = pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)


class KeptErrors:
    """An exception handler that keeps what it was given."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    def handle_exception(self, exception: BaseException, *_: object) -> None:
        self.errors.append(exception)

    handle_canceled_exception = handle_exception


@pytest.fixture
def kept() -> KeptErrors:
    return KeptErrors()


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock, kept: KeptErrors) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock, exception_handler=kept) as made:
        yield made


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """The function's own engine on the store's database, which has its table of effects."""
    effects.create(engine, checkfirst=True)
    return engine


def effects_of(engine: Engine, run_id: UUID) -> int:
    with engine.connect() as connection:
        statement = select(func.count()).select_from(effects).where(effects.c.run == str(run_id))
        return connection.scalars(statement).one()


def act(session: Session | Connection, context: Context) -> None:
    """Have an effect, and complete the run with it."""
    session.execute(insert(effects).values(run=str(context.id)))
    context.complete_in(session)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name.startswith("tickerq")
    ]


# On SQLite a transaction that has read cannot write once another has: the page on transactions says so.
@on_servers
def test_what_a_function_reports_meanwhile_is_not_in_the_way_of_its_end(
    tickerq: TickerQ, engine: Engine
) -> None:
    # MariaDB refuses a write to a row that another transaction has changed since this one first read.
    def body(context: Context) -> None:
        with Session(engine) as session:
            session.execute(select(effects.c.run))
            context.report_progress(0.5, "half")
            context.log("half")
            tickerq._process.get().reporting.flush()
            assert tickerq.runs.get(context.id).progress == 0.5
            context.report_progress(1.0)
            act(session, context)
            session.commit()

    run = add_run(tickerq, body)
    execute(tickerq)
    ended = tickerq.runs.get(run.id)
    assert (ended.status, ended.progress, ended.progress_message) == (TickerStatus.DONE, 1.0, None)
    assert [line.message for line in ended.logs] == ["half"]
    assert effects_of(engine, run.id) == 1


def test_the_effect_and_the_end_commit_together(tickerq: TickerQ, engine: Engine, clock: ManualClock) -> None:
    seen: list[Any] = []

    def body(context: Context) -> None:
        with Session(engine) as session:
            act(session, context)
            clock.advance(seconds=1)
            seen.append(row_of(tickerq, context.id).status)
            session.commit()
        seen.append((row_of(tickerq, context.id).status, effects_of(engine, context.id)))

    run = add_run(tickerq, body)
    assert [result.state for result in execute(tickerq)] == ["SUCCESS"]
    assert seen == [TickerStatus.IN_PROGRESS, (TickerStatus.DONE, 1)]
    done = tickerq.runs.get(run.id)
    assert (done.status, len(done.attempts), done.attempts[0].status) == (
        TickerStatus.DONE,
        1,
        TickerStatus.DONE,
    )
    assert done.elapsed is not None


def test_a_connection_is_as_good_as_a_session(
    tickerq: TickerQ, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def body(context: Context) -> None:
        with engine.begin() as connection:
            act(connection, context)

    run = add_run(tickerq, body)
    execute(tickerq)
    assert (tickerq.runs.get(run.id).status, effects_of(engine, run.id)) == (TickerStatus.DONE, 1)
    assert warnings(caplog) == []


def test_a_coroutine_completes_through_run_sync(tickerq: TickerQ, engine: Engine, store_url: str) -> None:
    async def body(context: Context) -> None:
        theirs = async_caller_engine(store_url)
        async with AsyncSession(theirs) as session, session.begin():
            await session.execute(insert(effects).values(run=str(context.id)))
            await session.run_sync(context.complete_in)
        await theirs.dispose()

    run = add_run(tickerq, body)
    assert [result.state for result in execute(tickerq)] == ["SUCCESS"]
    assert (tickerq.runs.get(run.id).status, effects_of(engine, run.id)) == (TickerStatus.DONE, 1)


def test_a_late_run_is_due_done(tickerq: TickerQ, engine: Engine, clock: ManualClock) -> None:
    def body(context: Context) -> None:
        with Session(engine) as session, session.begin():
            act(session, context)

    run = add_run(tickerq, body, execution_time=clock.now() + timedelta(minutes=1))
    clock.advance(minutes=2)
    dispatch_due(tickerq)
    execute(tickerq)
    assert tickerq.runs.get(run.id).status is TickerStatus.DUE_DONE


def test_a_retried_attempt_completes_under_its_own_number(
    tickerq: TickerQ, engine: Engine, clock: ManualClock
) -> None:
    def body(context: Context) -> None:
        if context.retry_count == 0:
            raise OSError("no route")
        with Session(engine) as session, session.begin():
            act(session, context)

    run = add_run(tickerq, body, retries=1)
    execute(tickerq)
    clock.advance(seconds=30)
    dispatch_due(tickerq)
    execute(tickerq)
    done = tickerq.runs.get(run.id)
    assert [(each.number, each.status) for each in done.attempts] == [
        (0, TickerStatus.FAILED), (1, TickerStatus.DONE),
    ]  # fmt: skip
    assert (done.status, effects_of(engine, run.id)) == (TickerStatus.DONE, 1)


def test_an_exception_after_the_commit_changes_nothing_and_is_logged(
    tickerq: TickerQ, engine: Engine, kept: KeptErrors, caplog: pytest.LogCaptureFixture
) -> None:
    def body(context: Context) -> None:
        with Session(engine) as session, session.begin():
            act(session, context)
        raise OSError("no route")

    run = add_run(tickerq, body, retries=3)
    assert [result.state for result in execute(tickerq)] == ["SUCCESS"]
    done = tickerq.runs.get(run.id)
    assert (done.status, len(done.attempts), done.exception_type) == (TickerStatus.DONE, 1, None)
    assert kept.errors == []
    [line] = warnings(caplog)
    assert "raised after it was completed" in line
    assert "no route" in caplog.text


def test_an_exception_before_the_commit_fails_the_attempt_and_leaves_no_effect(
    tickerq: TickerQ, engine: Engine, kept: KeptErrors
) -> None:
    error = OSError("no route")

    def body(context: Context) -> None:
        with Session(engine) as session, session.begin():
            act(session, context)
            raise error

    run = add_run(tickerq, body, retries=1)
    assert [result.state for result in execute(tickerq)] == ["RETRY"]
    assert (row_of(tickerq, run.id).status, effects_of(engine, run.id)) == (TickerStatus.IDLE, 0)
    assert kept.errors == [error]


def roll_back(session: Session) -> None:
    session.rollback()


def leave_open(session: Session) -> None:
    pass


OPEN: list[Session] = []


@pytest.mark.parametrize("end", [roll_back, leave_open])
def test_a_run_whose_transaction_does_not_commit_ends_as_usual_with_a_warning(
    tickerq: TickerQ, engine: Engine, caplog: pytest.LogCaptureFixture, end: Callable[[Session], None]
) -> None:
    def body(context: Context) -> None:
        session = Session(engine)
        OPEN.append(session)
        act(session, context)
        end(session)

    run = add_run(tickerq, body)
    assert [result.state for result in execute(tickerq)] == ["SUCCESS"]
    assert OPEN.pop().in_transaction() is False
    assert (tickerq.runs.get(run.id).status, effects_of(engine, run.id)) == (TickerStatus.DONE, 0)
    assert warnings(caplog) == [
        f"run {run.id} called complete_in and its transaction was not committed: ended as usual"
    ]


def test_a_savepoint_that_is_rolled_back_takes_the_end_along(
    tickerq: TickerQ, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def body(context: Context) -> None:
        with Session(engine) as session, session.begin():
            session.execute(insert(effects).values(run=str(context.id)))
            with suppress(ZeroDivisionError), session.begin_nested():
                context.complete_in(session)
                raise ZeroDivisionError

    run = add_run(tickerq, body)
    execute(tickerq)
    assert (tickerq.runs.get(run.id).status, effects_of(engine, run.id)) == (TickerStatus.DONE, 1)
    assert len(warnings(caplog)) == 1


def test_a_function_may_try_its_transaction_again(
    tickerq: TickerQ, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def body(context: Context) -> None:
        with Session(engine) as session:
            act(session, context)
            session.rollback()
            act(session, context)
            session.commit()

    run = add_run(tickerq, body)
    execute(tickerq)
    assert (tickerq.runs.get(run.id).status, effects_of(engine, run.id)) == (TickerStatus.DONE, 1)
    assert warnings(caplog) == []


def test_a_second_completion_is_refused_and_its_effect_with_it(tickerq: TickerQ, engine: Engine) -> None:
    def body(context: Context) -> None:
        for _ in range(2):
            with Session(engine) as session, session.begin():
                act(session, context)

    run = add_run(tickerq, body)
    execute(tickerq)
    assert (tickerq.runs.get(run.id).status, effects_of(engine, run.id)) == (TickerStatus.DONE, 1)


def test_a_superseded_claim_raises_and_its_effect_is_rolled_back(tickerq: TickerQ, engine: Engine) -> None:
    raised: list[ClaimSupersededError] = []

    def body(context: Context) -> None:
        change_row(tickerq, context.id, claim_no=tickers.c.claim_no + 1)
        try:
            with Session(engine) as session, session.begin():
                act(session, context)
        except ClaimSupersededError as error:
            raised.append(error)
            raise

    run = add_run(tickerq, body)
    [result] = execute(tickerq)
    assert (result.state, result.result.reason) == ("IGNORED", DropReason.SUPERSEDED)
    assert [(error.ticker_id, error.claim_no) for error in raised] == [(run.id, 1)]
    assert (effects_of(engine, run.id), tickerq.runs.get(run.id).attempts) == (0, ())


@on_servers
def test_a_rescue_does_not_wait_for_a_stalled_function(tickerq: TickerQ, engine: Engine) -> None:
    core, rescued = another_node(tickerq.core), []

    def body(context: Context) -> None:
        started = core.read(starts.running, context.id, 1)
        assert started is not None
        with Session(engine) as session, session.begin():
            act(session, context)
            rescued.append(rescue(core, started))

    run = add_run(tickerq, body)
    execute(tickerq)
    assert rescued == [None]
    assert (tickerq.runs.get(run.id).status, effects_of(engine, run.id)) == (TickerStatus.DONE, 1)


def test_the_freed_slot_of_a_limited_function_is_given_on_with_the_commit(
    tickerq: TickerQ, engine: Engine
) -> None:
    def body(context: Context) -> None:
        with Session(engine) as session, session.begin():
            act(session, context)

    tickerq.function("Limited", max_concurrency=1)(body)
    add_run(tickerq, lambda: None)
    tickerq.time_tickers.delete(published(tickerq)[0])
    first, second = tickerq.time_tickers.add_batch([TimeTicker(function="Limited")] * 2)
    assert row_of(tickerq, second.id).held_for == "limit"
    execute(tickerq)
    dispatch_due(tickerq)
    execute(tickerq)
    assert [tickerq.runs.get(each.id).status for each in (first, second)] == [TickerStatus.DONE] * 2


def chain(tickerq: TickerQ) -> tuple[UUID, UUID]:
    """Add a run of ``Body`` with a child, and return both their ids."""
    child = TimeTicker(function="Child", run_condition=RunCondition.ON_SUCCESS)
    head = tickerq.time_tickers.add(TimeTicker(function="Body", children=[child]))
    [below] = tickerq.runs.find(parent_id=head.id)
    return head.id, below.id


def test_a_child_is_made_due_in_the_same_transaction_and_published_after_it(
    tickerq: TickerQ, engine: Engine
) -> None:
    given: list[Any] = []
    seen: list[Any] = []

    def body(context: Context) -> None:
        with Session(engine) as session:
            session.execute(insert(effects).values(run=str(context.id)))
            context.complete_in(session, result={"paid": 7})
            [child] = tickerq.runs.find(parent_id=context.id)
            seen.append((child.held_for, published(tickerq)))
            session.commit()

    tickerq.function("Body")(body)
    tickerq.function("Child")(lambda context: given.append(context.parent_result))
    enrol_worker(tickerq)
    head, child = chain(tickerq)
    execute(tickerq)
    assert seen == [("parent", [])]
    execute(tickerq)
    assert given == [{"paid": 7}]
    assert [tickerq.runs.get(each).status for each in (head, child)] == [TickerStatus.DONE] * 2


def test_a_child_waits_on_where_its_parents_completion_is_rolled_back(
    tickerq: TickerQ, engine: Engine
) -> None:
    def body(context: Context) -> None:
        with Session(engine) as session, session.begin():
            act(session, context)
            raise OSError("no route")

    tickerq.function("Body", retries=1)(body)
    tickerq.function("Child")(lambda: None)
    enrol_worker(tickerq)
    head, child = chain(tickerq)
    execute(tickerq)
    assert (row_of(tickerq, head).status, row_of(tickerq, child).held_for) == (TickerStatus.IDLE, "parent")
    assert published(tickerq) == []


def test_the_end_that_a_function_wrote_outlives_the_loss_of_its_process(
    tickerq: TickerQ, engine: Engine
) -> None:
    def body(context: Context) -> None:
        with Session(engine) as session, session.begin():
            act(session, context)
        raise SystemExit(3)

    run = add_run(tickerq, body)
    with pytest.raises(SystemExit):
        execute(tickerq)
    assert (tickerq.runs.get(run.id).status, effects_of(engine, run.id)) == (TickerStatus.DONE, 1)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_error_names_the_way_to_asynchronous_callers(tickerq: TickerQ, store_url: str) -> None:
    async def body(context: Context) -> None:
        theirs = async_caller_engine(store_url)
        for session in (AsyncSession(theirs), AsyncConnection(theirs)):
            with pytest.raises(TickerValidationError, match=r"await session.run_sync\(context.complete_in\)"):
                context.complete_in(session)
        await theirs.dispose()

    run = add_run(tickerq, body)
    execute(tickerq)
    assert tickerq.runs.get(run.id).status is TickerStatus.DONE


def test_a_session_on_another_database_is_refused(tickerq: TickerQ, empty_database_url: str) -> None:
    theirs = caller_engine(empty_database_url)

    def body(context: Context) -> None:
        with Session(theirs) as session, pytest.raises(OtherDatabaseError):
            context.complete_in(session)

    run = add_run(tickerq, body)
    execute(tickerq)
    theirs.dispose()
    assert tickerq.runs.get(run.id).status is TickerStatus.DONE


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_context_without_an_attempt_completes_nothing(tickerq: TickerQ, engine: Engine) -> None:
    kept: list[Context] = []

    def body(context: Context) -> None:
        kept.append(context)

    add_run(tickerq, body)
    execute(tickerq)
    [context] = kept
    without_attempt = TickerContext(
        **{name: getattr(context, name) for name in vars(context) if not name.startswith("_")}
    )
    with Session(engine) as session, pytest.raises(TickerStateError, match="not being executed"):
        without_attempt.complete_in(session)


def test_a_coroutine_that_leaves_its_transaction_open_ends_as_usual(
    tickerq: TickerQ, engine: Engine, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(context: Context) -> None:
        session = AsyncSession(async_caller_engine(store_url))
        OPEN.append(session.sync_session)
        await session.execute(insert(effects).values(run=str(context.id)))
        await session.run_sync(context.complete_in)

    run = add_run(tickerq, body)
    execute(tickerq)
    assert OPEN.pop().in_transaction() is False
    assert (tickerq.runs.get(run.id).status, effects_of(engine, run.id)) == (TickerStatus.DONE, 0)
    assert len(warnings(caplog)) == 1
