"""Cancel the calls of Celery tasks that wait in the store and whose messages were revoked."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from tickerq_celery.enums import TickerStatus
from tickerq_celery.runs.immediate import dispatch_after
from tickerq_celery.runs.revocations import left_to_the_sweep
from tickerq_celery.store.calls import durable_calls, revocations
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.runs import chains, end_requests, ends
from tickerq_celery.tickers.claims import Started
from tickerq_celery.tickers.effect import Effect

logger = logging.getLogger(__name__)
REVOKED_REASON = "revoked"
# A claim keeps a row locked for milliseconds; what it takes is published, and its worker revokes it.
_PAUSES = (0.01, 0.05, 0.1, 0.2)
T = TypeVar("T")


class Write(Protocol):
    """Runs a function in a transaction of the store."""

    def __call__(self, work: Callable[[Transaction], T]) -> T:
        """Return what ``work`` returned, once it is committed."""


class Revoker:
    """Ends calls by the ids of their messages.

    ``dispatch`` is given the children that their ends made due, and ``tell`` what the result backend is to be
    told.
    """

    def __init__(
        self,
        write: Write,
        dispatch: Callable[[Collection[UUID]], None] | None = None,
        tell: Callable[[Collection[UUID]], None] = left_to_the_sweep,
    ) -> None:
        self._write = write
        self._dispatch = dispatch
        self._tell = tell

    def revoke(self, task_ids: Collection[str]) -> None:
        """Cancel those that wait for their claim, by the ids of their messages.

        Raises:
            StoreError: The database is unreachable.
        """
        for pause in (*_PAUSES, None):
            effect = self._write(partial(_revoke, task_ids=task_ids))
            revoked = dispatch_after(effect, self._dispatch)
            self._tell(revoked.owed)
            if revoked.is_complete or pause is None:
                return
            time.sleep(pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Revoked:
    """What the result backend is to be told of what was ended, and whether none is left for another try."""

    owed: Collection[UUID]
    is_complete: bool


def _revoke(tx: Transaction, task_ids: Collection[str]) -> Effect[_Revoked]:
    """End the calls that can be locked."""
    due: list[UUID] = []
    ended: list[Started] = []
    ids = durable_calls.waiting(tx, task_ids)
    left = len(ids)
    for ticker_id in ids:
        locked = end_requests.lock(tx, ticker_id, type=None)
        if locked is None or (locked.run.has_children and not chains.lock_waiting(tx, [ticker_id])):
            continue
        left -= 1
        if locked.status is TickerStatus.IDLE:
            due += _end(tx, ticker_id, locked.run.claim_no)
            ended.append(locked.run)
    owed = revocations.owe(tx, ended)
    return Effect(result=_Revoked(owed=owed.values(), is_complete=left == 0), due=due)


def _end(tx: Transaction, ticker_id: UUID, claim_no: int) -> Collection[UUID]:
    logger.info(
        "run %s is cancelled: its message was revoked", ticker_id, extra={"ticker_id": str(ticker_id)}
    )
    return ends.end_waiting(
        tx,
        ticker_id,
        claim_no=claim_no,
        before=TickerStatus.IDLE,
        status=TickerStatus.CANCELLED,
        reason=REVOKED_REASON,
    ).due
