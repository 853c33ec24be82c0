"""What went wrong lately and is over: runs that failed as their worker died, instants that were missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Subquery, func, select

from tickerq_celery.enums import Origin, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.filters import begins
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.lifecycle import LOST
from tickerq_celery.tickers.skip_reasons import MISSED

_T = tickers.c
# Of each status, those that ended last; what is looked for among them, no index knows.
_LOOKED_AT = 2_000
# What a record says first: how many instants, from when to when, by which policy.
_HEAD = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LostEnds:
    """How many runs of a function failed as their worker died, the first of them at ``since``."""

    function: str
    runs: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedRecord:
    """A record of instants that an outage left without a run: what it says of them, and when it was made."""

    function: str
    said: str
    at: datetime


def lost(tx: Transaction, *, within: timedelta) -> Sequence[LostEnds]:
    """Return which runs failed lately as their worker died, and have not been retried since."""
    some = _ended_lately(tx, TickerStatus.FAILED, within)
    rows = tx.execute(
        select(some.c.function, func.count(), func.min(some.c.ended_at))
        .where(some.c.namespace == tx.namespace, some.c.exception_type == LOST)
        .group_by(some.c.function)
        .order_by(some.c.function)
    )
    return [LostEnds(function=function, runs=runs, since=since) for function, runs, since in rows]


def missed(tx: Transaction, *, within: timedelta) -> Sequence[MissedRecord]:
    """Return the records of instants that were missed lately; those of pauses and edits are none."""
    some = _ended_lately(tx, TickerStatus.SKIPPED, within)
    rows = tx.execute(
        select(some.c.function, some.c.said, some.c.ended_at).where(
            some.c.namespace == tx.namespace,
            some.c.origin == Origin.MISFIRE.value,
            begins(some.c.said, MISSED),
        )
    )
    return [MissedRecord(function=function, said=said, at=at) for function, said, at in rows]


def _ended_lately(tx: Transaction, status: TickerStatus, within: timedelta) -> Subquery:
    said: Any = func.substr(_T.skipped_reason, 1, _HEAD).label("said")
    return (
        select(_T.namespace, _T.function, _T.origin, _T.exception_type, _T.ended_at, said)
        .where(_T.ended_status == status, _T.ended_at > tx.sql_after(-within))
        .order_by(_T.ended_at.desc(), _T.id.desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
