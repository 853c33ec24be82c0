"""The tickers below the head of a chain as rows, each checked like a ticker of its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.batches import naming
from tickerq_celery.managers.task_calls import task_work
from tickerq_celery.managers.unique_keys import Chain
from tickerq_celery.managers.unit_of_work import Known, UnitOfWork
from tickerq_celery.payload.codec import Packed
from tickerq_celery.tickers.chain_templates import ChainTicker
from tickerq_celery.tickers.chains import ChainNode, nodes_below, run_condition
from tickerq_celery.tickers.gathering import Gathering
from tickerq_celery.tickers.inputs import CronTicker, TimeTicker
from tickerq_celery.tickers.run_rows import RunRow, as_child, time_ticker_row
from tickerq_celery.tickers.work import Work, checked_work


def chain_below(storing: UnitOfWork, head: TimeTicker | CronTicker, *, position: str) -> list[ChainNode]:
    """Return the tickers below ``head``, each after its parent and with the namespace of the head.

    Their paths begin with the ``position`` of the head in its call.

    Raises:
        TickerValidationError: The chain is too large, too deep or no chain, or leaves its namespace.
    """
    with naming(position):
        found = [_in_namespace(storing, node, head) for node in nodes_below(head)]
    return [replace(node, path=f"{position}{node.path}") for node in found]


def with_children(
    batch: Mapping[str, TimeTicker | CronTicker], chains: Iterable[Sequence[ChainNode]]
) -> dict[str, TimeTicker | CronTicker]:
    """Return the tickers of a batch, and those below them, by their positions in the call."""
    return {**batch, **{f"{node.path}.": node.ticker for nodes in chains for node in nodes}}


def chain_rows(
    storing: UnitOfWork,
    head: TimeTicker,
    nodes: Sequence[ChainNode],
    *,
    position: str,
    known: Mapping[tuple[str, str], Known],
    now: datetime,
) -> Chain:
    """Return the row of a time ticker at its ``position`` in the call, and those of the ``nodes`` below it.

    Raises:
        TickerValidationError: A field cannot be stored; its name begins with the ticker's position.
    """
    with naming(position):
        row = row_of(storing, head, known=known, now=now)
    return Chain(head=row, below=rows_below(storing, nodes, row, known=known, now=now))


def rows_below(
    storing: UnitOfWork,
    nodes: Sequence[ChainNode],
    head: RunRow,
    *,
    known: Mapping[tuple[str, str], Known],
    now: datetime,
) -> list[RunRow]:
    """Return the rows of a chain below the row of its ``head``, parents first.

    Raises:
        TickerValidationError: A field of a child cannot be stored; its name begins with the child's path.
    """
    rows: list[RunRow] = []
    for node in nodes:
        parent = head if node.parent is None else rows[node.parent]
        with naming(f"{node.path}."):
            row = row_of(storing, node.ticker, known=known, now=now)
            rows.append(as_child(row, node.ticker, parent_id=parent.id))
    return rows


def chain_tickers(
    storing: UnitOfWork, nodes: Sequence[ChainNode], *, known: Mapping[tuple[str, str], Known]
) -> list[ChainTicker]:
    """Return the chain that a cron ticker keeps for its occurrences, parents first.

    Raises:
        TickerValidationError: A field of a child cannot be stored; its name begins with the child's path.
    """
    found = []
    for node in nodes:
        with naming(f"{node.path}."):
            child = ChainTicker(
                work=work_of(storing, node.ticker, known=known),
                parent=node.parent,
                run_condition=run_condition(node.ticker.run_condition),
                has_children=bool(node.ticker.children),
            )
        found.append(child)
    return found


def row_of(
    storing: UnitOfWork,
    ticker: TimeTicker,
    *,
    known: Mapping[tuple[str, str], Known],
    now: datetime,
    request: Packed | None = None,
) -> RunRow:
    """Return the row of one time ticker, as if it stood alone, with its own request or the one given.

    Raises:
        TickerValidationError: A field cannot be stored.
    """
    return time_ticker_row(ticker, work_of(storing, ticker, known=known, request=request), now=now)


def work_of(
    storing: UnitOfWork,
    ticker: TimeTicker | CronTicker,
    *,
    known: Mapping[tuple[str, str], Known],
    request: Packed | None = None,
) -> Work:
    """Return what one ticker asks for, with its own request or the one given.

    Raises:
        TickerValidationError: A field cannot be stored.
    """
    if ticker.function is None:
        return task_work(storing, ticker, request=request)
    namespace = storing.namespace(ticker.namespace)
    function = known[namespace, ticker.function]
    with Gathering() as check:
        packed = check(storing.packed, ticker.request, function) if request is None else request
        work = check(checked_work, ticker, namespace=namespace, defaults=function.defaults)
    return replace(work, request=packed.data, encoding=packed.encoding)


def _in_namespace(storing: UnitOfWork, node: ChainNode, head: TimeTicker | CronTicker) -> ChainNode:
    namespace = storing.namespace(head.namespace)
    asked = node.ticker.namespace
    if asked is not None and asked != namespace:
        raise TickerValidationError(f"{node.path}.namespace", asked, f"its chain is in {namespace!r}")
    return replace(node, ticker=replace(node.ticker, namespace=namespace))
