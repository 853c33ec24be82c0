"""Due runs by flow, each of which is one function in one queue: which flows there are, and their first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ScalarSelect,
    Select,
    String,
    and_,
    bindparam,
    literal,
    literal_column,
    select,
    true,
    tuple_,
)

from tickerq_celery.enums import TickerPriority
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.active_runs import IS_DUE
from tickerq_celery.store.runs.claims import due_columns, due_from
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.claims import Due
from tickerq_celery.tickers.flows import FunctionQueue

_T = tickers.c
_INDEX = "ix_tickerq_tickers_due_flow"
# Without it PostgreSQL and SQLite would not read that index.
_IS_IN_INDEX = _T.priority >= literal_column("0")
# The most urgent first.
_PRIORITIES = tuple(sorted(TickerPriority))


@dataclass(frozen=True, slots=True)
class DueFlow:
    """A flow that has due runs, and the priorities of these, the most urgent first."""

    flow: FunctionQueue
    priorities: tuple[TickerPriority, ...]


@dataclass(frozen=True, slots=True)
class FoundFlows:
    """Flows with due runs, and the last flow that was read: None where none follows it."""

    due: Sequence[DueFlow]
    last: FunctionQueue | None


class DueFlowsQuery:
    """The queries for the flows of one namespace that have due runs, by one clock; ``most`` flows at once.

    Each flow is found by the one before it, and few of its rows are read, however long it is: by a statement
    for each flow, since in one of all MariaDB would read the rows of each, as in ``one_of_each``. They are
    built once, as beat executes them several times a second.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._statements: dict[bool, Select[*tuple[Any, ...]]] = {}

    def read(self, tx: Transaction, *, after: FunctionQueue | None) -> FoundFlows:
        """Return those of the next flows behind ``after`` that have due runs."""
        with dialect_of(tx.connection.dialect.name).sorting_nothing(tx.connection):
            return self._find(tx, after or FunctionQueue("", None))

    def _find(self, tx: Transaction, after: FunctionQueue) -> FoundFlows:
        _, flow = self._read_flow(tx, after)
        due, last, count = [], None, 0
        while flow is not None and count < self._most:
            count, last = count + 1, flow
            priorities, flow = self._read_flow(tx, last)
            if priorities:
                due.append(DueFlow(last, priorities))
        return FoundFlows(due=due, last=None if flow is None else last)

    def _read_flow(
        self, tx: Transaction, flow: FunctionQueue
    ) -> tuple[tuple[TickerPriority, ...], FunctionQueue | None]:
        """Return the priorities of a flow's due runs, and the flow that follows it."""
        is_named = flow.queue is not None
        if is_named not in self._statements:
            self._statements[is_named] = _statement(tx, is_named=is_named)
        names = {"function": flow.function, "queue": flow.queue or ""}
        queue, function, *flags = tx.execute(self._statements[is_named], names).one()
        priorities = tuple(each for each, is_due in zip(_PRIORITIES, flags, strict=True) if is_due)
        if queue is not None:
            return priorities, FunctionQueue(flow.function, queue)
        return priorities, None if function is None else FunctionQueue(function, None)


def lock_shares(tx: Transaction, shares: Sequence[tuple[DueFlow, int]]) -> list[list[Due]]:
    """Lock due runs of each flow up to its share, the most urgent first, then the oldest.

    Runs that another transaction has locked are passed over.
    """
    if not any(most for _, most in shares):
        return [[] for _ in shares]
    with dialect_of(tx.connection.dialect.name).sorting_nothing(tx.connection):
        return [_lock_share(tx, due, most) for due, most in shares]


def _lock_share(tx: Transaction, due: DueFlow, most: int) -> list[Due]:
    found: list[Due] = []
    for priority in due.priorities:
        if len(found) < most:
            found += _lock(tx, due.flow, priority, limit=most - len(found))
    return found


def _lock(tx: Transaction, flow: FunctionQueue, priority: TickerPriority, *, limit: int) -> list[Due]:
    of_queue = _T.queue.is_(None) if flow.queue is None else _T.queue == flow.queue
    columns = select(*due_columns(due_at=_T.due_at))
    statement = _in_order(tx, columns.where(_T.function == flow.function, of_queue), priority)
    return [due_from(row) for row in tx.execute(statement.limit(limit).with_for_update(skip_locked=True))]


def _in_order(
    tx: Transaction, rows: Select[*tuple[Any, ...]], priority: TickerPriority
) -> Select[*tuple[Any, ...]]:
    """Return those of the rows of one flow that are due and have a priority, in the order of their index."""
    if not dialect_of(tx.connection.dialect.name).leaves_index_of_equal:
        is_due = (_IS_IN_INDEX, _T.priority == priority.value, _T.due_at <= tx.sql_now())
        ordered = rows.where(*is_due).order_by(_T.due_at, _T.id)
    else:
        # As no equality of the priority: else the order would be that of all that is due, too.
        until = tuple_(_T.priority, _T.due_at) <= tuple_(literal(priority.value), tx.sql_now())
        ordered = rows.where(_IS_IN_INDEX, _T.priority >= priority.value, until, IS_DUE)
        # The queue as well: rows without one are not in the order of what follows it.
        ordered = ordered.order_by(_T.queue, _T.priority, _T.due_at, _T.id)
    return _by_flow(tx, ordered.where(_T.namespace == tx.namespace))


def _statement(tx: Transaction, *, is_named: bool) -> Select[*tuple[Any, ...]]:
    """Return the query for what follows a flow, of a queue or none, and which of its priorities are due."""
    function, queue = bindparam("function", type_=String()), bindparam("queue", type_=String())
    # Elsewhere than on MariaDB the index holds what has a due moment, and nothing else. There it holds all
    # runs: asked for those, it would be read past the function's history.
    is_partial = dialect_of(tx.connection.dialect.name).has_partial_indexes
    here = and_(_T.namespace == tx.namespace, _IS_IN_INDEX, IS_DUE if is_partial else true())
    of_function = select(_T.queue).where(here, _T.function == function, _T.queue > queue)
    behind = select(_T.function).where(here, _T.function > function)
    of_flow = select(_T.id).where(
        _T.function == function, _T.queue == queue if is_named else _T.queue.is_(None)
    )
    return select(
        _first(_by_flow(tx, of_function.order_by(_T.queue))).label("next_queue"),
        _first(_by_flow(tx, behind.order_by(_T.function))).label("next_function"),
        *(_first(_in_order(tx, of_flow, each)).is_not(None) for each in _PRIORITIES),
    )


def _first(rows: Select[*tuple[Any, ...]]) -> ScalarSelect[Any]:
    return rows.limit(1).scalar_subquery()


def _by_flow(tx: Transaction, rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    hint = dialect_of(tx.connection.dialect.name).index_hint(_INDEX)
    return rows if hint is None else rows.with_hint(tickers, hint)
