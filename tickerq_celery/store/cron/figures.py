"""The newest ends of cron tickers, by each status: as many rows are read, however long their history."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CompoundSelect,
    Row,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    true,
)

from tickerq_celery.enums import TERMINAL, TickerStatus
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.index_scans import EARLIEST, limited_union
from tickerq_celery.store.reading.row_mapping import READERS
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.tickers.construction import constructor
from tickerq_celery.tickers.cron_figures import CronFigures, CronOutcome, figures_of

_T = tickers.c
_INDEX = "ix_tickerq_tickers_cron"
_COLUMNS = (
    _T.cron_ticker_id, _T.kind, _T.origin, _T.id, _T.ended_status, _T.instant, _T.started_at, _T.ended_at,
    _T.elapsed,
)  # fmt: skip
_outcome = constructor(
    CronOutcome, ["kind", "origin", "run_id", "status", "instant", "started_at", "ended_at", "elapsed"]
)
_kind, _origin = READERS["kind"], READERS["origin"]
# Some more than are shown: a few may be manual runs, or records of what was skipped.
_LOOKED_AT = 25
# SQLite takes 500 parts of a union.
_CRONS_AT_ONCE = 50
# So many cron tickers one statement is for, the rest of which name none: of these a process keeps two.
_SIZES = (1, _CRONS_AT_ONCE)
_NONE = UUID(int=0)
_STATUSES = sorted(TERMINAL)


def find(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, CronFigures]:
    """Return the figures of those of ``ids`` that are cron tickers."""
    here = select(cron_tickers.c.id, cron_tickers.c.next_run_at).where(
        cron_tickers.c.namespace == tx.namespace, cron_tickers.c.id.in_(list(ids))
    )
    crons = {row.id: row.next_run_at for row in tx.execute(here)}
    if not crons:
        return {}
    newest: dict[UUID, dict[TickerStatus, list[CronOutcome]]] = {each: {} for each in crons}
    for cron_id, kind, origin, run_id, status, *times in _newest(tx, list(crons)):
        outcome = _outcome(_kind(kind), _origin(origin), run_id, status, *times)
        newest[cron_id].setdefault(status, []).append(outcome)
    for by_status in newest.values():
        for ends in by_status.values():
            # A union has no order.
            ends.sort(key=lambda end: (end.ended_at, end.run_id), reverse=True)
    return {
        cron_id: figures_of(cron_id, next_run_at, newest[cron_id], looked_at=_LOOKED_AT)
        for cron_id, next_run_at in crons.items()
    }


def _newest(tx: Transaction, ids: Sequence[UUID]) -> list[Row[*tuple[Any, ...]]]:
    name = tx.connection.dialect.name
    if dialect_of(name).has_lateral:
        return list(tx.execute(_of_each(), {"ids": ids}).all())
    rows: list[Row[*tuple[Any, ...]]] = []
    for first in range(0, len(ids), _CRONS_AT_ONCE):
        some = ids[first : first + _CRONS_AT_ONCE]
        size = next(each for each in _SIZES if each >= len(some))
        given = [*some, *[_NONE] * (size - len(some))]
        rows += tx.execute(_union(name, size), {_id(number): each for number, each in enumerate(given)}).all()
    return rows


@cache
def _of_each() -> Select[*tuple[Any, ...]]:
    """Return a query that is planned once for all cron tickers, where a union is planned for each of them."""
    # Not VALUES, of which SQLAlchemy keeps no compiled form.
    numbers = ", ".join(str(each.value) for each in _STATUSES)
    statuses = func.unnest(literal_column(f"ARRAY[{numbers}]")).table_valued("status").render_derived()
    newest = _ended(cron_tickers.c.id, statuses.c.status).lateral()
    return (
        select(newest)
        .select_from(cron_tickers)
        .join(statuses, true())
        .join(newest, true())
        .where(cron_tickers.c.id.in_(bindparam("ids", expanding=True)))
    )


@cache
def _union(dialect: str, size: int) -> CompoundSelect[*tuple[Any, ...]]:
    """Return a query of the ends of so many cron tickers, by status: to build it takes longer than to ask."""
    hint = dialect_of(dialect).index_hint(_INDEX)
    parts = [
        _ended(bindparam(_id(number), type_=_T.cron_ticker_id.type), literal_column(str(status.value)))
        for number in range(size)
        for status in _STATUSES
    ]
    return limited_union(dialect, [part if hint is None else part.with_hint(tickers, hint) for part in parts])


def _id(number: int) -> str:
    return f"cron_{number}"


def _ended(cron_id: Any, status: Any) -> Select[Any]:
    """Return the newest ends of a cron ticker with one status."""
    return (
        select(*_COLUMNS)
        .where(_T.cron_ticker_id == cron_id, _T.ended_status == status, _T.ended_at >= EARLIEST)
        .order_by(_T.ended_at.desc(), _T.id.desc())
        .limit(literal_column(str(_LOOKED_AT)))
    )
