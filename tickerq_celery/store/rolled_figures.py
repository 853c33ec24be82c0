"""Read the roll-up together with its watermark, in one statement: what one says the other does not miss."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.store import rollup_state, rollups
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.past_runs import EndPosition
from tickerq_celery.store.tables import rollup_state as state
from tickerq_celery.store.tables import rollups as table
from tickerq_celery.tickers.histograms import Spread
from tickerq_celery.tickers.tallies import Tally, TallyKey, hour_of

K = TypeVar("K")
_R = table.c
# What has histograms is read into this process: as many rows are read within a second.
MOST_ROWS = 20_000
_WATERMARK = (state.c.ended_at.label("counted_until"), state.c.ended_id.label("counted_id"))
_SUMS = (
    *(func.sum(_R[name]).label(name) for name in ("ends", "late", "retried", "published")),
    *(func.sum(_R[name]).label(name) for name in ("duration_count", "duration_sum", "lag_count", "lag_sum")),
    *(func.max(_R[name]).label(name) for name in ("duration_max", "lag_max", "last_ended_at")),
    func.min(_R.first_ended_at).label("first_ended_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which rows of the namespace: hours from ``since`` up to ``until``; None is all functions or all."""

    since: datetime
    until: datetime
    functions: Collection[str] | None = None
    statuses: Collection[TickerStatus] | None = None

    def conditions(self, tx: Transaction) -> ColumnElement[bool]:
        """Return what is true of those rows."""
        found = [_R.namespace == tx.namespace, _R.hour >= self.since, _R.hour < self.until]
        if self.functions is not None:
            found.append(_R.function.in_(sorted(self.functions)))
        if self.statuses is not None:
            found.append(_R.status.in_(sorted(self.statuses)))
        return and_(*found)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledFigures(Generic[K]):
    """What ends come to, by what they have in common, and the watermark up to which they are counted."""

    rows: Sequence[tuple[K, Tally]]
    position: EndPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureKind:
    """Failures of a function with one type of exception, and when the last one was."""

    function: str
    error_type: str
    last_seen: datetime


def sums(tx: Transaction, which: Which, *, by: Sequence[str]) -> RolledFigures[tuple[Any, ...]]:
    """Return what ends come to by some columns of the key, added up by the database, without histograms."""
    columns = [_R[name] for name in by]
    statement = _from_both(tx, which, *columns, *_SUMS).group_by(state.c.ended_at, state.c.ended_id, *columns)
    found = tx.execute(statement).all()
    rows = [(tuple(getattr(row, name) for name in by), _summed(row)) for row in _those(found)]
    return RolledFigures(rows=rows, position=_position(found))


def rows(tx: Transaction, which: Which) -> RolledFigures[TallyKey]:
    """Return whole rows, with their histograms.

    Raises:
        TickerValidationError: There are too many.
    """
    found = tx.execute(_from_both(tx, which, *_R).limit(MOST_ROWS + 1)).all()
    if len(found) > MOST_ROWS:
        reason = (
            f"the roll-up has more than {MOST_ROWS:,} rows since then: pass a shorter window, or a function"
        )
        raise TickerValidationError("since", which.since, reason)
    return RolledFigures(
        rows=[(rollups.key_of(row), rollups.tally_of(row)) for row in _those(found)],
        position=_position(found),
    )


def samples(tx: Transaction, failures: Collection[FailureKind]) -> Iterator[tuple[FailureKind, UUID]]:
    """Yield the run that failed last of each, where the roll-up knows it."""
    if not failures:
        return
    wanted = {(each.function, each.error_type, each.last_seen): each for each in failures}
    hours = [
        and_(
            _R.hour == hour_of(each.last_seen), _R.function == each.function, _R.error_type == each.error_type
        )
        for each in failures
    ]
    columns = (_R.function, _R.error_type, _R.last_ended_at, _R.last_id)
    is_failure = and_(_R.namespace == tx.namespace, _R.status == TickerStatus.FAILED)
    for row in tx.execute(select(*columns).where(is_failure, or_(*hours)).order_by(_R.last_id)):
        found = wanted.get((row.function, row.error_type, row.last_ended_at))
        if found is not None:
            yield found, row.last_id


def _from_both(tx: Transaction, which: Which, *columns: ColumnElement[Any]) -> Select[Any]:
    both = state.outerjoin(table, which.conditions(tx))
    return select(*_WATERMARK, *columns).select_from(both)


def _those(found: Sequence[Row[Any]]) -> Iterator[Row[Any]]:
    # Without any row of the roll-up the watermark stands alone.
    return (row for row in found if row.ends is not None)


def _position(found: Sequence[Row[Any]]) -> EndPosition:
    if not found:
        return rollup_state.START
    return EndPosition(ended_at=found[0].counted_until, id=found[0].counted_id)


def _summed(row: Row[Any]) -> Tally:
    return Tally(
        ends=int(row.ends),
        late=int(row.late),
        retried=int(row.retried),
        published=int(row.published),
        first_ended_at=row.first_ended_at,
        last_ended_at=row.last_ended_at,
        durations=Spread(count=int(row.duration_count), total=row.duration_sum, longest=row.duration_max),
        lags=Spread(count=int(row.lag_count), total=row.lag_sum, longest=row.lag_max),
    )
