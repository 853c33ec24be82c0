"""Read the roll-up together with its watermark, in one statement: what one says the other does not miss."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    func,
    select,
    true,
    type_coerce,
)

from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.stats import rollup_state
from tickerq_celery.store.tables import rollup_state as state
from tickerq_celery.store.tables import rollups as table
from tickerq_celery.tickers.histograms import Histogram, Spread
from tickerq_celery.tickers.tallies import HOURS, Grain, SpreadName, Tally, hour_of
from tickerq_celery.tickers.uncounted_ends import EndPosition

_R = table.c
# Their histograms are added up: of as many rows within a second.
MOST_ROWS = 20_000
_WATERMARK = (state.c.ended_at.label("counted_until"), state.c.ended_id.label("counted_id"))
_SUMMED = (
    *("ends", "late", "retried", "published"),
    *("duration_count", "duration_sum", "lag_count", "lag_sum"),
)
_GREATEST = ("duration_max", "lag_max", "last_ended_at")
_NONE = Histogram()


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which rows of the namespace: periods from ``since`` up to ``until``; None is all functions or all."""

    grain: Grain
    since: datetime
    until: datetime
    functions: Collection[str] | None = None
    statuses: Collection[TickerStatus] | None = None

    @property
    def narrowed(self) -> tuple[str, ...]:
        """The columns of which it names values."""
        values = {"function": self.functions, "status": self.statuses}
        return tuple(name for name, each in values.items() if each is not None)

    def values(self, tx: Transaction) -> dict[str, object]:
        """Return what is bound in a statement about those rows."""
        return {
            "of_namespace": tx.namespace,
            "of_minutes": self.grain.minutes,
            "from_moment": self.since,
            "up_to_moment": self.until,
            **({} if self.functions is None else {"of_function": sorted(self.functions)}),
            **({} if self.statuses is None else {"of_status": sorted(self.statuses)}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledFigures:
    """What ends come to, by the columns that they have in common, and up to where they are counted."""

    rows: Sequence[tuple[tuple[Any, ...], Tally]]
    position: EndPosition


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureKind:
    """Failures of a function with one type of exception, and when the last one was."""

    function: str
    error_type: str
    last_seen: datetime


def sums(tx: Transaction, which: Which, *, by: Sequence[str]) -> RolledFigures:
    """Return what ends come to by some columns of the key, added up by the database, without histograms."""
    found = tx.execute(_sums(tuple(by), which.narrowed), which.values(tx)).all()
    return RolledFigures(rows=[_group(row, by) for row in _those(found)], position=_position(found))


def with_spreads(tx: Transaction, which: Which, *, by: Sequence[str], spread: SpreadName) -> RolledFigures:
    """Return the same with one of the histograms.

    Raises:
        TickerValidationError: There are too many rows.
    """
    statement = _sums_with(spread, tuple(by), which.narrowed, most=MOST_ROWS)
    found = tx.execute(statement, which.values(tx)).all()
    if sum(row.row_count for row in found) > MOST_ROWS:
        reason = (
            f"the roll-up has more than the {MOST_ROWS:,} rows that are read at most: pass a shorter window, "
            "or a function"
        )
        raise TickerValidationError("since", which.since, reason)
    return RolledFigures(
        rows=[_group(row, by, {spread: Histogram.of_texts(row.histograms)}) for row in _those(found)],
        position=_position(found),
    )


def samples(tx: Transaction, failures: Collection[FailureKind]) -> Iterator[tuple[FailureKind, UUID]]:
    """Yield the run that failed last of each, where the roll-up knows it."""
    if not failures:
        return
    wanted = {(each.function, each.error_type, each.last_seen): each for each in failures}
    # By the values of each column and not by those of each failure: one statement for any number of them.
    among: dict[ColumnElement[Any], Collection[object]] = {
        _R.begins_at: {hour_of(each.last_seen) for each in failures},
        _R.function: {each.function for each in failures},
        _R.last_ended_at: {each.last_seen for each in failures},
    }
    columns = (_R.function, _R.error_type, _R.last_ended_at, _R.last_id)
    of_hours = (_R.namespace == tx.namespace, _R.minutes == HOURS.minutes)
    statement = select(*columns).where(*of_hours, _R.status == TickerStatus.FAILED)
    statement = statement.where(*(column.in_(list(values)) for column, values in among.items()))
    for row in tx.execute(statement.order_by(_R.last_id)):
        found = wanted.get((row.function, row.error_type, row.last_ended_at))
        if found is not None:
            yield found, row.last_id


# To build one of these takes longer than to ask it: each is built once.
@cache
def _sums(by: tuple[str, ...], narrowed: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    return _grouped(table, _conditions(narrowed), by)


@cache
def _sums_with(
    spread: SpreadName, by: tuple[str, ...], narrowed: tuple[str, ...], *, most: int
) -> Select[*tuple[Any, ...]]:
    # The database joins their texts: thousands of rows would take longer to fetch than to add up.
    columns = [_R[name] for name in (*by, *_SUMMED, *_GREATEST, "first_ended_at")]
    text = type_coerce(_R[spread], Text).label("histogram")
    some = select(*columns, text).where(_conditions(narrowed)).limit(most + 1).subquery()
    joined = func.aggregate_strings(some.c.histogram, ",").label("histograms")
    return _grouped(some, true(), by, func.count(some.c.ends).label("row_count"), joined)


def _conditions(narrowed: Sequence[str]) -> ColumnElement[bool]:
    """Return what is true of the rows of a Which, by the names under which it binds its values."""
    return and_(
        _R.namespace == bindparam("of_namespace", type_=_R.namespace.type),
        _R.minutes == bindparam("of_minutes", type_=_R.minutes.type),
        _R.begins_at >= bindparam("from_moment", type_=_R.begins_at.type),
        _R.begins_at < bindparam("up_to_moment", type_=_R.begins_at.type),
        *(_R[each].in_(bindparam(f"of_{each}", type_=_R[each].type, expanding=True)) for each in narrowed),
    )


def _grouped(
    rows: FromClause, which: ColumnElement[bool], by: Sequence[str], *more: ColumnElement[Any]
) -> Select[*tuple[Any, ...]]:
    """Return a query of sums of rows with the watermark, which stands alone where there is none of these."""
    columns = [rows.c[name] for name in by]
    statement = select(
        *_WATERMARK,
        *columns,
        *(func.sum(rows.c[name]).label(name) for name in _SUMMED),
        *(func.max(rows.c[name]).label(name) for name in _GREATEST),
        func.min(rows.c.first_ended_at).label("first_ended_at"),
        *more,
    )
    # By its key: without statistics of the table a planner expects thousands of rows, and PostgreSQL would
    # compile the statement first, which takes half a second.
    both = statement.select_from(state.outerjoin(rows, which)).where(state.c.id == 1)
    return both.group_by(state.c.ended_at, state.c.ended_id, *columns)


def _those(found: Sequence[Row[Any]]) -> Iterator[Row[Any]]:
    return (row for row in found if row.ends is not None)


def _position(found: Sequence[Row[Any]]) -> EndPosition:
    if not found:
        return rollup_state.START
    return EndPosition(ended_at=found[0].counted_until, id=found[0].counted_id)


def _group(
    row: Row[Any], by: Sequence[str], histograms: Mapping[SpreadName, Histogram] = MappingProxyType({})
) -> tuple[tuple[Any, ...], Tally]:
    tally = Tally(
        ends=int(row.ends),
        late=int(row.late),
        retried=int(row.retried),
        published=int(row.published),
        first_ended_at=row.first_ended_at,
        last_ended_at=row.last_ended_at,
        durations=_spread(row, "duration", histograms.get("durations", _NONE)),
        lags=_spread(row, "lag", histograms.get("lags", _NONE)),
    )
    return tuple(getattr(row, name) for name in by), tally


def _spread(row: Row[Any], name: str, histogram: Histogram) -> Spread:
    count, total, longest = (getattr(row, f"{name}_{each}") for each in ("count", "sum", "max"))
    return Spread(count=int(count), total=total, longest=longest, histogram=histogram)
