"""How executions of Celery tasks end, as workers report it: the run moves only by its latest execution."""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, insert, select, true, update

from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.database.batches import insert_if_absent
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.runs import chains
from tickerq_celery.store.runs.ends import attempt_key, attempt_row, columns, kept_columns, reason_of
from tickerq_celery.store.runs.publications import check_of_call
from tickerq_celery.store.tables import attempts, tickers
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.lifecycle import LOST, Outcome, check_transition


def finish(
    tx: Transaction,
    run: Started,
    outcome: Outcome,
    *,
    node: str,
    elapsed: timedelta | None,
    check_after: timedelta,
) -> Effect[bool]:
    """Write how an execution ended and its attempt, and let a run's end decide on its children.

    Return False, with nothing written, where the run goes on without it, as a later execution has begun or
    the run was ended meanwhile; and for an outcome that gives way to a cancel which was requested. So does
    Celery's own retry: its message is on its way by then, and workers discard it as revoked.
    """
    check_transition(TickerStatus.IN_PROGRESS, outcome.status, of_a_call=True)
    is_wanted = tickers.c.cancel_request.is_(None) if outcome.gives_way else true()
    current = and_(_is_current(run), is_wanted)
    if not _move(tx, run, outcome, current, elapsed=elapsed, check_after=check_after):
        return Effect(result=False)
    tx.execute(insert(attempts).values(attempt_row(run, outcome, node=node) | {"ended_at": tx.sql_now()}))
    if outcome.goes_on or not run.has_children:
        return Effect(result=True)
    return Effect(result=True, due=chains.follow(tx, [run.id], outcome.status))


def correct(
    tx: Transaction, run: Started, outcome: Outcome, *, elapsed: timedelta | None, check_after: timedelta
) -> bool:
    """Write how an execution ended that was taken for lost; return True if its run had failed for that.

    What that end decided stays: its children, and who has its overlap lock.
    """
    was_lost = (tickers.c.status == TickerStatus.FAILED, tickers.c.exception_type == LOST)
    is_it = and_(*_is_execution(run), *was_lost)
    return _move(tx, run, outcome, is_it, elapsed=elapsed, check_after=check_after)


def stands(tx: Transaction, run: Started, outcome: Outcome) -> bool:
    """Return True if a run is as the end of this execution, its latest, has left it."""
    statement = select(tickers.c.id).where(
        tickers.c.id == run.id,
        tickers.c.claim_no == run.claim_no,
        tickers.c.executions == run.executions,
        tickers.c.status == outcome.status,
    )
    return tx.scalar(statement) is not None


def record(tx: Transaction, run: Started, outcome: Outcome, *, node: str | None) -> None:
    """Write the attempt of an execution, unless it is written; one that was taken for lost is corrected.

    None is written of a run that was deleted while its task ran.
    """
    if tx.scalar(select(tickers.c.id).where(tickers.c.id == run.id).with_for_update()) is None:
        return
    attempt = attempt_row(run, outcome, node=node) | {"ended_at": tx.now}
    insert_if_absent(tx, attempts, [attempt])
    key = attempt_key(run)
    tx.execute(
        update(attempts)
        .where(*(attempts.c[name] == value for name, value in key.items()), attempts.c.exception_type == LOST)
        .values({name: value for name, value in attempt.items() if name not in key})
    )


def _is_execution(run: Started) -> tuple[ColumnElement[bool], ...]:
    return (
        tickers.c.id == run.id,
        tickers.c.claim_no == run.claim_no,
        tickers.c.executions == run.executions,
        tickers.c.retry_count == run.standing.retry_count,
    )


def _is_current(run: Started) -> ColumnElement[bool]:
    return and_(*_is_execution(run), tickers.c.status == TickerStatus.IN_PROGRESS)


def _move(
    tx: Transaction,
    run: Started,
    outcome: Outcome,
    condition: ColumnElement[bool],
    *,
    elapsed: timedelta | None,
    check_after: timedelta,
) -> bool:
    values = kept_columns(outcome) | {"elapsed": elapsed}
    if outcome.status is TickerStatus.QUEUED and outcome.wait is not None:
        values |= _published_again(tx, run, outcome.wait + check_after)
    else:
        reason, result = reason_of(outcome), outcome.result
        values |= columns(tx.clock, wait=outcome.wait, status=outcome.status, reason=reason, result=result)
    return rowcount(tx, update(tickers).where(condition).values(**values)) == 1


def _published_again(tx: Transaction, run: Started, check_after: timedelta) -> dict[str, object]:
    return {
        "status": TickerStatus.QUEUED,
        "published_at": tx.sql_now(),
        "check_at": check_of_call(tx.clock, run.has_children, check_after),
        # As of each call whose message is with the broker, and of which no worker has reported anything.
        "started_at": None,
        "running_on": None,
        "cancel_request": None,
        "alone_for": None,
        "ended_at": None,
        "ended_status": None,
        "ended_on": None,
        "updated_at": tx.sql_now(),
    }
