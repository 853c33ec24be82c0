"""Keys of rows in an order, read by indexes in bounded steps, however few of the rows are wanted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil, inf
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, FromClause, Row, Select, case, func, literal, or_, select

from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.index_scans import Scan, ScanClauses, limited_union
from tickerq_celery.tickers.listings import Position

# How many rows one read reads at most, wanted or not, unless it is asked to reach further.
MOST_READ = 2_000
# Of its seconds: each statement is to take all that are left, so that what it leaves then is worth no other.
_USED_UP = 0.5
_GROWTH = 8
# As many times the rows that hold what is missing, by those read so far: they are seldom spread evenly.
_SPREAD = 2
# How many rows the first statement reads, so that of a few scans it need not ask any again.
_AT_FIRST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far one read may go: so many ``rows``, wanted or not, in about so many ``seconds``."""

    rows: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of a list: the rows that any of its ``scans`` finds by an index, in one ``order``.

    The order's columns end with the id. ``moment`` is the one that says how far a read went.
    ``unset`` are columns that no row of the stage has a value of, and that its index has before the order's.
    """

    name: str
    order: tuple[ColumnElement[Any], ...]
    types: tuple[type[Any], ...]
    moment: ColumnElement[datetime]
    scans: Sequence[Scan]
    unset: tuple[ColumnElement[Any], ...] = ()
    is_descending: bool = False

    @property
    def table(self) -> FromClause:
        """The table of its rows."""
        return cast("Column[Any]", self.order[-1]).table


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A row's values of its stage's order, and its moment."""

    stage: Stage
    values: tuple[Any, ...]
    moment: datetime

    def position(self, *, is_backward: bool) -> Position:
        """Return where the page begins that follows this row, or that ends before it."""
        return Position(stage=self.stage.name, key=self.values, is_backward=is_backward)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundKeys:
    """What one read found, in its direction, and whether there is more.

    ``stopped_at`` is the last row that it read, where it had to stop before it had found enough, having
    ``read`` so many.
    """

    found: Sequence[Key]
    has_more: bool = False
    stopped_at: Key | None = None
    read: int = 0


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One read: what it wants, how many it misses still, and how many rows it may still read."""

    tx: Transaction
    wanted: ColumnElement[bool]
    missing: int
    is_backward: bool
    left: int
    seconds: float
    began: float
    read: int = 0
    found: int = 0

    def affordable(self) -> int:
        """Return how many rows the next statement may read: as many as the time that is left allows."""
        spent = self.tx.clock.monotonic() - self.began
        if not spent or not self.read:
            return self.left
        if spent >= self.seconds * _USED_UP:
            return 0
        return int(min(self.left, max(_AT_FIRST, self.read / spent * (self.seconds - spent))))

    def likely(self) -> int:
        """Return how many rows hold what is missing, if it is as rare among them as it was so far."""
        return _SPREAD * self.missing * self.read // (self.found + 1)


@dataclass(slots=True)
class _ScanState:
    """What has been read of a scan and not returned yet, and where it continues."""

    scan: Scan
    rows: list[Row[Any]] = field(default_factory=list)
    after: Sequence[Any] | None = None
    is_over: bool = False


def read_keys(
    tx: Transaction,
    stages: Sequence[Stage],
    wanted: ColumnElement[bool],
    *,
    position: Position | None,
    limit: int,
    rows_each: int = 1,
    reach: Reach | None = None,
) -> FoundKeys:
    """Return up to ``limit`` keys of wanted rows from a position on, as far as ``reach``, or 2,000 rows.

    ``rows_each`` is how many are read to know of one whether it is wanted.
    """
    is_backward = position is not None and position.is_backward
    # One more says whether there is one.
    reading = _Reading(
        tx=tx,
        wanted=wanted,
        missing=limit + 1,
        left=(MOST_READ if reach is None else reach.rows) // rows_each,
        seconds=inf if reach is None else reach.seconds,
        is_backward=is_backward,
        began=tx.clock.monotonic(),
    )
    found: list[Key] = []
    last: Key | None = None
    for stage, start in _from(stages, position):
        merged = _Merged(reading, stage, start)
        row: Row[Any] | None = None
        for row in merged.in_order():
            if row.is_wanted:
                if len(found) == limit:
                    return FoundKeys(found=found, has_more=True)
                found.append(merged.key(row))
                reading.missing -= 1
                reading.found += 1
        last = last if row is None else merged.key(row)
        if not reading.left:
            return FoundKeys(found=found, stopped_at=last, read=reading.read)
    return FoundKeys(found=found)


def _from(stages: Sequence[Stage], position: Position | None) -> Iterator[tuple[Stage, Position | None]]:
    if position is None:
        yield from ((stage, None) for stage in stages)
        return
    names = [stage.name for stage in stages]
    first = names.index(position.stage)
    rest = stages[:first][::-1] if position.is_backward else stages[first + 1 :]
    yield stages[first], position
    yield from ((stage, None) for stage in rest)


class _Merged:
    """The rows of a stage in their order, merged from its scans."""

    def __init__(self, reading: _Reading, stage: Stage, start: Position | None) -> None:
        self._reading = reading
        self._stage = stage
        self._is_descending = stage.is_descending is not reading.is_backward
        self._scans = [_ScanState(scan) for scan in stage.scans]
        self._start = start
        self._dialect = dialect_of(reading.tx.connection.dialect.name)
        self._size = 0
        moments = [at for at, column in enumerate(stage.order) if column is stage.moment]
        # Most orders begin with the moment: read once, since what is not wanted is most of what is read.
        self._own_moment = [] if moments else [stage.moment.label("moment")]
        self._moment_at = 1 + (moments[0] if moments else len(stage.order))

    def key(self, row: Row[Any]) -> Key:
        """Return the key that a row is of."""
        return Key(stage=self._stage, values=self._values(row), moment=row[self._moment_at])

    def in_order(self) -> Iterator[Row[Any]]:
        """Return an iterator that ends where nothing follows, or no row may be read any more."""
        while True:
            empty = [each for each in self._scans if not each.rows and not each.is_over]
            if empty and not self._fill(empty):
                return
            ready = [each for each in self._scans if each.rows]
            if not ready:
                return
            first = ready[0] if len(ready) == 1 else self._first(ready)
            yield first.rows.pop()

    def _first(self, ready: Sequence[_ScanState]) -> _ScanState:
        nearest = max if self._is_descending else min
        return nearest(ready, key=lambda scan: self._values(scan.rows[-1]))

    def _fill(self, empty: Sequence[_ScanState]) -> bool:
        """Read the next rows of scans; return False if no more may be read."""
        reading = self._reading
        share = reading.affordable() // len(empty)
        # Few at first: most filters are met by most rows. All that are missing may be of one scan.
        enough = max(ceil(reading.missing / len(empty)), min(reading.missing, _AT_FIRST // len(empty)))
        if self._size:
            enough = max(enough, self._size * _GROWTH, reading.likely() // len(empty))
        self._size = min(share, enough)
        if not self._size:
            reading.left = 0
            return False
        parts = [self._part(number, scan) for number, scan in enumerate(empty)]
        union = limited_union(reading.tx.connection.dialect.name, parts)
        rows = reading.tx.execute(parts[0] if len(parts) == 1 else union).all()
        for number, scan in enumerate(empty):
            own = [row for row in rows if row.scan == number]
            # A union has no order. What is merged is ordered by moments and ids, as Python orders them.
            own.sort(key=self._values, reverse=self._is_descending)
            read = max((row.number for row in own), default=0) if self._is_far else len(own)
            reading.left -= read
            reading.read += read
            scan.is_over = read < self._size
            scan.rows = own[::-1]
            if own:
                scan.after = self._values(own[-1])
        return True

    def _values(self, row: Row[Any]) -> tuple[Any, ...]:
        return tuple(row[1 : 1 + len(self._stage.order)])

    @property
    def _is_far(self) -> bool:
        """Whether a statement reads so much that it returns the wanted rows only, and the last one."""
        return self._size > MOST_READ

    def _part(self, number: int, state: _ScanState) -> Select[Any]:
        stage = self._stage
        clauses = ScanClauses(stage.order, state.scan, self._dialect, is_descending=self._is_descending)
        unset = [column.desc() if self._is_descending else column.asc() for column in stage.unset]
        part = (
            select(
                literal(number).label("scan"),
                *(column.label(f"key_{each}") for each, column in enumerate(stage.order)),
                *self._own_moment,
                case((self._reading.wanted, 1), else_=0).label("is_wanted"),
            )
            # SQLite searches an index by the first of two bounds, and the cursor's is the nearer one.
            .where(*self._beyond(clauses, state.after), *clauses.bounds(), *state.scan.conditions)
            .order_by(*unset, *clauses.order())
            .limit(self._size)
        )
        hint = self._dialect.index_hint(state.scan.index)
        part = part if hint is None else part.with_hint(stage.table, hint)
        return self._wanted_of(part) if self._is_far else part

    def _wanted_of(self, part: Select[Any]) -> Select[Any]:
        """Return the wanted rows of a statement and its last one, each with its number in the order."""
        rows = part.subquery()
        keys = [rows.c[f"key_{each}"] for each in range(len(self._stage.order))]
        ordered = [each.desc() if self._is_descending else each.asc() for each in keys]
        numbered = select(
            *rows.c,
            func.row_number().over(order_by=ordered).label("number"),
            func.count().over().label("rows_read"),
        ).subquery()
        return select(*numbered.c).where(
            or_(numbered.c.is_wanted == 1, numbered.c.number == numbered.c.rows_read)
        )

    def _beyond(self, clauses: ScanClauses, after: Sequence[Any] | None) -> list[ColumnElement[bool]]:
        if after is not None:
            return [clauses.beyond(after, is_inclusive=False)]
        if self._start is None:
            return []
        return [clauses.beyond(self._start.key, is_inclusive=self._start.is_inclusive)]
