"""The rows that an outlook is made of: each read goes by an index, and ends at its limit."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from tickerq_celery.enums import TickerStatus
from tickerq_celery.schedule.bounds import dates_from
from tickerq_celery.store.database.batches import in_parts
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import nodes
from tickerq_celery.store.reading.index_scans import EARLIEST, Scan, ScanClauses
from tickerq_celery.store.reading.row_mapping import READERS
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.outlook_items import OutlookCron, PlannedRun, SkippedInstant

_C, _T = cron_tickers.c, tickers.c
_NEXT_RUN = "ix_tickerq_cron_tickers_namespace_next_run_at"
_SKIPPED = "ix_tickerq_cron_tickers_namespace_skipped_until"
_DUE = "ix_tickerq_tickers_namespace_due_at"
_INSTANTS = "uq_tickerq_tickers_cron_ticker_id_instant"
_MADE_OF_CRON = ("kind", "tags", "exclude")
_CRON_FIELDS = (
    *_MADE_OF_CRON,
    *(each.name for each in fields(OutlookCron) if each.name not in _MADE_OF_CRON),
)
_CRON_COLUMNS = tuple(_C[name] for name in _CRON_FIELDS)
_kind = READERS["kind"]
_made_cron = constructor(OutlookCron, _CRON_FIELDS)
_RUN_COLUMNS = (
    _T.id, _T.kind, _T.function, _T.description, _T.tags, _T.due_at, _T.cron_ticker_id, _T.instant,
    _T.retry_count,
)  # fmt: skip
# Of a run whose cron ticker there is.
_IS_CRON_ENABLED = (
    select(_C.is_enabled).where(_C.id == _T.cron_ticker_id).scalar_subquery().label("is_cron_enabled")
)
# How much of a reason is shown.
_HEAD = 200
_OVERDUE_AT_ONCE = 100
Key = tuple[datetime, UUID]


def planned(tx: Transaction, *, until: datetime, after: Key | None, limit: int) -> list[OutlookCron]:
    """Return the cron tickers that fire before ``until``, the next first, from behind a key on."""
    scan = Scan(index=_NEXT_RUN, since=EARLIEST, until=until, conditions=[_C.namespace == tx.namespace])
    return [_cron(row) for row in _rows(tx, _CRON_COLUMNS, (_C.next_run_at, _C.id), scan, after, limit)]


def count_planned(
    tx: Transaction, *, until: datetime, after: Key | None, function: str | None, limit: int
) -> int:
    """Return how many cron tickers fire before ``until``, from behind a key on, counted up to ``limit``."""
    here = [_C.namespace == tx.namespace, *([] if function is None else [_C.function == function])]
    scan = Scan(index=_NEXT_RUN, since=EARLIEST, until=until, conditions=here)
    found = _found(tx, (_C.id,), (_C.next_run_at, _C.id), scan, after, limit).subquery()
    return tx.execute(select(func.count()).select_from(found)).scalar_one()


def without_next_run(tx: Transaction, *, limit: int) -> tuple[list[OutlookCron], bool]:
    """Return the cron tickers that wait for the end of a pause of more than themselves, and whether all.

    They stand among those that are paused themselves or have ended; it looks at ``limit`` of all these.
    """
    here = [_C.namespace == tx.namespace, _C.next_run_at.is_(None)]
    scan = Scan(index=_NEXT_RUN, conditions=here)
    looked_at = _found(tx, (*_CRON_COLUMNS, _C.is_enabled), (_C.next_run_at, _C.id), scan, None, limit).cte()
    # The others are passed over by the database: most have ended, and are no news.
    counted = select(func.count().label("looked_at")).select_from(looked_at).subquery()
    waits = and_(looked_at.c.is_enabled.is_(True), looked_at.c.resume_from.is_not(None))
    rows = tx.execute(select(counted, looked_at).select_from(counted.outerjoin(looked_at, waits))).all()
    waiting = [_cron(row[1:]) for row in rows if row.id is not None]
    return waiting, rows[0].looked_at < limit


def skipped(
    tx: Transaction, *, since: datetime, until: datetime, limit: int
) -> tuple[list[SkippedInstant], bool]:
    """Return the instants to come that have their occurrence already, of up to ``limit`` cron tickers.

    Only a skipped one has, unless the clock was set back. Says also whether these were all cron tickers.
    """
    scan = Scan(index=_SKIPPED, since=since, conditions=[_C.namespace == tx.namespace])
    crons = _rows(tx, (*_CRON_COLUMNS, _C.is_enabled), (_C.skipped_until, _C.id), scan, None, limit)
    found = {row.id: _cron(row) for row in crons if row.is_enabled}
    # Not joined to the statement above: MariaDB would read all occurrences of each of them.
    statement = _hinted(
        tx,
        select(
            _T.id,
            _T.cron_ticker_id,
            _T.instant,
            _T.status,
            func.substr(_T.skipped_reason, 1, _HEAD).label("reason"),
        ).where(_T.instant >= since, _T.instant < until),
        _INSTANTS,
    )
    rows = in_parts(list(found), lambda part: tx.execute(statement.where(_T.cron_ticker_id.in_(part))).all())
    instants = [
        SkippedInstant(
            run_id=row.id,
            cron=found[row.cron_ticker_id],
            instant=row.instant,
            is_skipped=row.status is TickerStatus.SKIPPED,
            reason=row.reason,
        )
        for row in rows
    ]
    return instants, len(crons) < limit


def taken(tx: Transaction, crons: Collection[OutlookCron]) -> set[tuple[UUID, datetime]]:
    """Return which of these cron tickers' next instants have their occurrence already."""
    pairs = [(cron.id, cron.next_run_at) for cron in crons]
    found: set[tuple[UUID, datetime]] = set()
    for first in range(0, len(pairs), _OVERDUE_AT_ONCE):
        some = pairs[first : first + _OVERDUE_AT_ONCE]
        # Not rows IN a list of rows, for which not every database takes the index.
        each = or_(*(and_(_T.cron_ticker_id == cron_id, _T.instant == at) for cron_id, at in some))
        rows = tx.execute(select(_T.cron_ticker_id, _T.instant).where(each))
        found |= {(row.cron_ticker_id, row.instant) for row in rows}
    return found


def waiting(
    tx: Transaction, *, since: datetime | None, until: datetime, after: Key | None, limit: int
) -> list[PlannedRun]:
    """Return the runs that are due before ``until``, the next first, from behind a key on."""
    scan = Scan(index=_DUE, equal=[(_T.namespace, tx.namespace)], since=since or EARLIEST, until=until)
    rows = _rows(tx, (*_RUN_COLUMNS, _IS_CRON_ENABLED), (_T.due_at, _T.id), scan, after, limit)
    return [
        PlannedRun(
            id=row.id,
            kind=_kind(row.kind),
            function=row.function,
            description=row.description,
            tags=tuple(row.tags),
            due_at=row.due_at,
            cron_ticker_id=row.cron_ticker_id,
            is_manual=row.cron_ticker_id is not None and row.instant is None,
            is_retry=row.retry_count > 0,
            is_cron_paused=row.is_cron_enabled is False and row.instant is not None,
        )
        for row in rows
    ]


def functions_of_workers(tx: Transaction) -> frozenset[str]:
    """Return the functions that workers of the namespace have which take runs."""
    return frozenset(name for functions in nodes.function_sets_of_workers(tx) for name in functions)


def _rows(
    tx: Transaction,
    columns: Sequence[ColumnElement[Any]],
    order: tuple[ColumnElement[Any], ...],
    scan: Scan,
    after: Key | None,
    limit: int,
) -> Sequence[Row[Any]]:
    return tx.execute(_found(tx, columns, order, scan, after, limit)).all()


def _found(
    tx: Transaction,
    columns: Sequence[ColumnElement[Any]],
    order: tuple[ColumnElement[Any], ...],
    scan: Scan,
    after: Key | None,
    limit: int,
) -> Select[*tuple[Any, ...]]:
    clauses = ScanClauses(order, scan, dialect_of(tx.connection.dialect.name), is_descending=False)
    beyond = [] if after is None else [clauses.beyond(after, is_inclusive=False)]
    statement = (
        select(*columns)
        .where(*beyond, *clauses.bounds(), *scan.conditions)
        .order_by(*clauses.order())
        .limit(limit)
    )
    return _hinted(tx, statement, scan.index)


def _hinted(tx: Transaction, statement: Select[*tuple[Any, ...]], index: str) -> Select[*tuple[Any, ...]]:
    hint = dialect_of(tx.connection.dialect.name).index_hint(index)
    table = cron_tickers if index in {_NEXT_RUN, _SKIPPED} else tickers
    return statement if hint is None else statement.with_hint(table, hint)


def _cron(row: Sequence[Any]) -> OutlookCron:
    kind, tags, exclude, *others = row[: len(_CRON_COLUMNS)]
    return _made_cron(_kind(kind), tuple(tags), dates_from(exclude), *others)
