"""What becomes of a claim between its commit and its start: stamped, given back or postponed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Update,
    and_,
    bindparam,
    case,
    literal,
    not_,
    select,
    update,
)

from tickerq_celery.clock import Clock
from tickerq_celery.enums import TickerKind, TickerStatus
from tickerq_celery.store.database.bound import bound, parameters
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.nodes.nodes import is_followed
from tickerq_celery.store.runs import overlaps
from tickerq_celery.store.runs.changed_at import end_columns
from tickerq_celery.store.runs.ends import end_waiting
from tickerq_celery.store.runs.starts import lock_free
from tickerq_celery.store.tables import tickers
from tickerq_celery.store.tables.column_types import UtcDateTime, sql_after, sql_now
from tickerq_celery.tickers.claims import Claim
from tickerq_celery.tickers.lifecycle import Failure

# However often a message was lost, and however long one may wait in its queue.
LONGEST_CHECK = timedelta(hours=1)
# More make no difference, and would overflow.
MOST_LOSSES = 20
# Up to 64 s.
_FIRST_RETURN, _MOST_DOUBLINGS = timedelta(seconds=1), 6
# Workers report what becomes of it: it is published once.
IS_PUBLISHED_CALL = and_(tickers.c.kind == TickerKind.CELERY_TASK.value, tickers.c.published_at.is_not(None))
# A worker may be faster than the stamp, and Celery's retry of its task be published before it.
_IS_UNSTAMPED = tickers.c.published_at.is_(None)
# When the sweep looks after a call that it leaves to workers' reports: not NULL, as the index by check_at has
# all that is Queued. No later, as east of UTC the last hours of that year are in the year 10,000.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_SUCCESS = case((tickers.c.is_late, TickerStatus.DUE_DONE.value), else_=TickerStatus.DONE.value)


def stamp(tx: Transaction, claims: Sequence[Claim], *, check_after: timedelta) -> list[Claim]:
    """Note that ``claims`` were published; their status is never touched, since they may run already.

    A run that a worker is starting at this moment needs no stamp. The call of a Celery task ends here, unless
    a worker may report what becomes of it: none is known that does, and no children wait for a report.

    Returns the calls that another transaction has locked: a body runs also where the store does not take its
    start, and without a stamp its call would be published again.
    """
    # Before the locks, for which their starts wait.
    queues = {claim.queue for claim in claims if claim.call is not None and not claim.has_children}
    followed = {queue for queue in queues if is_followed(tx, queue)}
    free = lock_free(tx, [claim.id for claim in claims])
    for claim in claims:
        if claim.call is not None and claim.id in free:
            is_reported = claim.has_children or claim.queue in followed
            _stamp_call(tx, claim, is_reported=is_reported, check_after=check_after)
    tracked = [claim for claim in claims if claim.call is None and claim.id in free]
    for (number, count), group in groupby(sorted(tracked, key=_number_and_count), key=_number_and_count):
        tx.execute(
            update(tickers)
            .where(
                tickers.c.id.in_([claim.id for claim in group]),
                tickers.c.claim_no == number,
                tickers.c.status == TickerStatus.QUEUED,
            )
            .values(
                published_at=tx.sql_now(),
                publish_count=count + 1,
                check_at=tx.sql_after(until_check(check_after, losses=count)),
            )
        )
    return [claim for claim in claims if claim.call is not None and claim.id not in free]


def stamp_call(tx: Transaction, claim: Claim, *, check_after: timedelta) -> bool:
    """Do the same for the call of a Celery task of which workers report, by one statement; else return False.

    False also where its row is locked, or it is stamped. For PostgreSQL, whose UPDATE can skip a locked row.
    """
    if not (claim.has_children or is_followed(tx, claim.queue)):
        return False
    values = {"id": claim.id, "claim_no": claim.number, "publish_count": claim.publish_count + 1}
    stamped = tx.execute(_stamp_unlocked(tx.clock, claim.has_children, check_after), parameters(values))
    return stamped.rowcount == 1


@lru_cache(maxsize=8)
def _stamp_unlocked(clock: Clock, has_children: bool, check_after: timedelta) -> Update:
    waits = (*_waits(bound(tickers.c.id), bound(tickers.c.claim_no)), _IS_UNSTAMPED)
    free = select(tickers.c.id).where(*waits).with_for_update(skip_locked=True)
    stamped = {"published_at": sql_now(clock), "publish_count": bound(tickers.c.publish_count)}
    check_at = check_of_call(clock, has_children, check_after)
    return update(tickers).where(tickers.c.id.in_(free)).values(**stamped, check_at=check_at)


def until_check(check_after: timedelta, *, losses: int) -> timedelta:
    """Return how long after a publication a message may count as lost, by how often it was."""
    doubled: int = 2 ** min(losses, MOST_LOSSES)
    return min(check_after * doubled, LONGEST_CHECK)


def fail(tx: Transaction, claim: Claim, failure: Failure) -> bool:
    """End a claim that cannot be published as Failed; return True if it was still waiting for that."""
    return _end_unpublished(tx, claim, TickerStatus.FAILED, failure=failure)


def skip(tx: Transaction, claim: Claim, reason: str) -> bool:
    """End a claim that its task did not send as Skipped; return True if it was still waiting for that."""
    return _end_unpublished(tx, claim, TickerStatus.SKIPPED, reason=reason)


def _end_unpublished(
    tx: Transaction,
    claim: Claim,
    status: TickerStatus,
    *,
    reason: str | None = None,
    failure: Failure | None = None,
) -> bool:
    ended = end_waiting(
        tx,
        claim.id,
        claim_no=claim.number,
        status=status,
        reason=reason,
        failure=failure,
        only_if=not_(IS_PUBLISHED_CALL),
    )
    return ended.result


def give_back(tx: Transaction, claims: Sequence[Claim]) -> None:
    """Return claims that were not published, unless they have been superseded meanwhile.

    Nor the call of a Celery task that a sweep has published meanwhile: no worker would drop its second
    message. One that another transaction has locked stays Queued, for the sweep.
    """
    free = lock_free(tx, [claim.id for claim in claims])
    if not free:
        return
    statement = (
        update(tickers)
        .where(
            tickers.c.id == bindparam("claimed_id"),
            tickers.c.claim_no == bindparam("claimed_no"),
            tickers.c.status == TickerStatus.QUEUED,
            not_(IS_PUBLISHED_CALL),
        )
        .values(
            status=TickerStatus.IDLE,
            due_at=bindparam("due"),
            check_at=None,
            lock_holder=None,
            locked_at=None,
        )
    )
    tx.execute(
        statement,
        [
            {"claimed_id": claim.id, "claimed_no": claim.number, "due": claim.due_at}
            for claim in claims
            if claim.id in free
        ],
    )


def postpone(tx: Transaction, ticker_id: UUID, claim_no: int, wait: timedelta) -> bool:
    """Return a claim that no broker or no worker here can take, due again after ``wait``.

    Not the call of a Celery task that was published: no worker would drop its second message.
    """
    statement = (
        update(tickers)
        .where(*_waits(ticker_id, claim_no), not_(IS_PUBLISHED_CALL))
        .values(
            status=TickerStatus.IDLE,
            due_at=tx.sql_after(wait),
            check_at=None,
            lock_holder=None,
            locked_at=None,
        )
    )
    return rowcount(tx, statement) == 1


def return_misrouted(tx: Transaction, ticker_id: UUID, claim_no: int) -> str | None:
    """Return a claim of another namespace to it, and that namespace; None where it is none of another's.

    It is due again after one second, and after twice that each time: its own workers may get it then.
    """
    columns = (
        tickers.c.namespace,
        tickers.c.attempts_before,
        tickers.c.retry_count,
        tickers.c.rescue_count,
    )
    of_claim = (tickers.c.id == ticker_id, tickers.c.claim_no == claim_no)
    row = tx.execute(select(*columns).where(*of_claim, tickers.c.namespace != tx.namespace)).one_or_none()
    if row is None:
        return None
    in_vain = claim_no - 1 - row.attempts_before - row.retry_count - row.rescue_count
    postpone(tx, ticker_id, claim_no, _FIRST_RETURN * 2 ** min(max(in_vain, 0), _MOST_DOUBLINGS))
    return str(row.namespace)


def end_as_published(
    tx: Transaction, ticker_id: UUID, claim_no: int, *conditions: ColumnElement[bool], **stamped: object
) -> bool:
    """End a published call of which no worker reports anything; return True unless it was reported meanwhile.

    The occurrence that waits for its overlap lock may run then. ``stamped`` are further columns.
    """
    cron_id = overlaps.cron_locked_by(tx, ticker_id)
    end = end_columns(tx.clock, _SUCCESS)
    # They may be those of an earlier claim: nothing is known of this one.
    unknown = dict.fromkeys(("started_at", "elapsed", "exception_type", "exception_message"))
    statement = update(tickers).where(*_waits(ticker_id, claim_no), *conditions)
    if rowcount(tx, statement.values(**end, **unknown, **stamped)) != 1:
        return False
    if cron_id is not None:
        overlaps.pass_lock(tx, cron_id)
    return True


def check_of_call(clock: Clock, has_children: bool, check_after: timedelta) -> ColumnElement[datetime]:
    """Return when a published call ends unless a worker has reported it.

    Never with children: what they wait for is a report, and no publication.
    """
    return literal(NEVER, UtcDateTime()) if has_children else sql_after(clock, check_after)


def _stamp_call(tx: Transaction, claim: Claim, *, is_reported: bool, check_after: timedelta) -> None:
    stamped = {"published_at": tx.sql_now(), "publish_count": claim.publish_count + 1}
    if not is_reported:
        end_as_published(tx, claim.id, claim.number, _IS_UNSTAMPED, **stamped)
        return
    check_at = check_of_call(tx.clock, claim.has_children, check_after)
    waiting = (*_waits(claim.id, claim.number), _IS_UNSTAMPED)
    tx.execute(update(tickers).where(*waiting).values(**stamped, check_at=check_at))


def _waits(
    ticker_id: UUID | BindParameter[UUID], claim_no: int | BindParameter[int]
) -> tuple[ColumnElement[bool], ...]:
    return (
        tickers.c.id == ticker_id,
        tickers.c.claim_no == claim_no,
        tickers.c.status == TickerStatus.QUEUED,
    )


def _number_and_count(claim: Claim) -> tuple[int, int]:
    return claim.number, claim.publish_count
