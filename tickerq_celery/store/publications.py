"""What becomes of a claim between its commit and its start: stamped, given back or postponed."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, select, update

from tickerq_celery.enums import TickerStatus
from tickerq_celery.store import overlaps
from tickerq_celery.store.database.transaction import Transaction, rowcount
from tickerq_celery.store.starts import lock_free
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import Claim
from tickerq_celery.tickers.lifecycle import Failure
from tickerq_celery.tickers.terminal import terminal
from tickerq_celery.validation import storable

_LONGEST_REASON = 16 * 1024
# Up to 64 s.
_FIRST_RETURN, _MOST_DOUBLINGS = timedelta(seconds=1), 6
_SUCCESS = case((tickers.c.is_late, TickerStatus.DUE_DONE.value), else_=TickerStatus.DONE.value)


def stamp(tx: Transaction, claims: Sequence[Claim], *, check_after: timedelta) -> None:
    """Note that ``claims`` were published; their status is never touched, since they may run already.

    A run that a worker is starting at this moment needs no stamp. The call of a Celery task ends here: what
    becomes of it is not recorded.
    """
    free = lock_free(tx, [claim.id for claim in claims])
    for claim in claims:
        if claim.call is not None and claim.id in free:
            stamped = {"published_at": tx.sql_now(), "publish_count": claim.publish_count + 1}
            _end(tx, claim, _SUCCESS, **stamped)
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
                check_at=tx.sql_after(check_after * 2 ** min(count, 10)),
            )
        )


def fail(tx: Transaction, claim: Claim, failure: Failure) -> bool:
    """End a claim that cannot be published; return True if it was still waiting for that."""
    return _end(
        tx,
        claim,
        TickerStatus.FAILED,
        exception_type=failure.type,
        exception_message=storable(failure.message, _LONGEST_REASON),
    )


def give_back(tx: Transaction, claims: Sequence[Claim]) -> None:
    """Return claims that were not published, unless they have been superseded meanwhile.

    One that another transaction has locked stays Queued, for the sweep.
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
    """Return a published claim that no worker here can run, due again after ``wait``."""
    statement = (
        update(tickers)
        .where(
            tickers.c.id == ticker_id,
            tickers.c.claim_no == claim_no,
            tickers.c.status == TickerStatus.QUEUED,
        )
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


def _end(tx: Transaction, claim: Claim, status: Any, **columns: Any) -> bool:
    """End a claim, and let the occurrence run that waits for its overlap lock, if it had one."""
    cron_id = overlaps.cron_locked_by(tx, claim.id)
    statement = (
        update(tickers)
        .where(
            tickers.c.id == claim.id,
            tickers.c.claim_no == claim.number,
            tickers.c.status == TickerStatus.QUEUED,
        )
        .values(**terminal(status, tx.sql_now()).columns(), **columns)
    )
    if rowcount(tx, statement) != 1:
        return False
    if cron_id is not None:
        overlaps.pass_lock(tx, cron_id)
    return True


def _number_and_count(claim: Claim) -> tuple[int, int]:
    return claim.number, claim.publish_count
