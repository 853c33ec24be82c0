"""How many runs a bulk job would look at: counted along the indexes of lists, within a bound of rows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, select

from tickerq_celery.enums import RETRIABLE, TERMINAL, UNENDED, BulkAction, TickerStatus
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.filters import conditions
from tickerq_celery.store.reading.index_scans import Scan, ScanClauses
from tickerq_celery.store.reading.ordered_reads import Stage
from tickerq_celery.store.records.bulk_runs import action_conditions
from tickerq_celery.store.runs import lists as run_lists
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.counts import MOST_COUNTED, Count
from tickerq_celery.tickers.criteria import RunFilter

_MEANT = {
    BulkAction.RETRY: RETRIABLE,
    BulkAction.DELETE: TERMINAL | {TickerStatus.IDLE},
}


def count(
    tx: Transaction, wanted: RunFilter, *, action: BulkAction, as_of: datetime | None, limit: int
) -> Count:
    """Return how many runs a job would look at, counting no further than ``limit``.

    It looks at 10,000 runs of those that the action can be done to, the latest ends first; where an index
    finds those of the filter, at these alone.
    """
    own = action_conditions(action, tx.now if as_of is None else as_of)
    is_meant = and_(tickers.c.namespace == tx.namespace, *conditions(tx, wanted), *own)
    found, left = 0, MOST_COUNTED
    for stage in _stages(tx, wanted, _MEANT.get(action, UNENDED)):
        for scan in stage.scans:
            looked_at, meant = _counted(tx, stage, scan, is_meant, left)
            found, left = found + meant, left - looked_at
            if found >= limit:
                return Count(limit)
            if not left:
                return Count(found, is_partial=True)
    return Count(found)


def _stages(tx: Transaction, wanted: RunFilter, meant: frozenset[TickerStatus]) -> Iterator[Stage]:
    """Yield the parts of the lists that have the runs of some statuses, as far as they are asked for."""
    asked = meant if wanted.status is None else meant.intersection(wanted.status)
    has_ended = wanted.ended_from is not None or wanted.ended_until is not None
    ended, unended = asked & TERMINAL, frozenset() if has_ended else asked & UNENDED
    if ended:
        yield from run_lists.history(tx, replace(wanted, status=None if ended == TERMINAL else ended))
    if TickerStatus.IDLE in unended:
        yield from run_lists.upcoming(tx, wanted)
    if unended:
        yield from run_lists.active(tx, replace(wanted, status=unended))


def _counted(
    tx: Transaction, stage: Stage, scan: Scan, is_meant: ColumnElement[bool], most: int
) -> tuple[int, int]:
    """Return how many of the first rows of a scan there are, and how many of these are meant."""
    dialect = dialect_of(tx.connection.dialect.name)
    clauses = ScanClauses(stage.order, scan, dialect, is_descending=stage.is_descending)
    rows = (
        select(case((is_meant, 1), else_=0).label("is_meant"))
        .where(*clauses.bounds(), *scan.conditions)
        .order_by(*clauses.order())
        .limit(most)
    )
    hint = dialect.index_hint(scan.index)
    some = (rows if hint is None else rows.with_hint(tickers, hint)).subquery()
    statement = select(func.count(), func.coalesce(func.sum(some.c.is_meant), 0)).select_from(some)
    looked_at, meant = tx.execute(statement).one()
    return looked_at, int(meant)
