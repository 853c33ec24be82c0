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
from tickerq_celery.tickers.work import Work, WorkPlan


def chain_below(storing: UnitOfWork, head: TimeTicker | CronTicker, *, position: str) -> list[ChainNode]:
    """Return the tickers below ``head``, each after its parent and with the namespace of the head.

    Their paths begin with the ``position`` of the head in its call.

    Raises:
        TickerValidationError: The chain is too large, too deep or no chain, or leaves its namespace.
    """
    if head.children == ():
        return []
    with naming(position):
        found = [_in_namespace(storing, node, head) for node in nodes_below(head)]
    return [replace(node, path=f"{position}{node.path}") for node in found]


def with_children(
    batch: Mapping[str, TimeTicker | CronTicker], chains: Iterable[Sequence[ChainNode]]
) -> dict[str, TimeTicker | CronTicker]:
    """Return the tickers of a batch, and those below them, by their positions in the call."""
    return {**batch, **{f"{node.path}.": node.ticker for nodes in chains for node in nodes}}


def chains_of(
    storing: UnitOfWork,
    heads: Mapping[str, TimeTicker],
    below: Mapping[str, Sequence[ChainNode]],
    *,
    known: Mapping[tuple[str, str], Known],
    now: datetime,
) -> list[Chain]:
    """Return the rows of time tickers by their positions in the call, each with those of what is ``below``.

    Raises:
        TickerValidationError: A field cannot be stored; its name begins with the ticker's position.
    """
    found = []
    with naming("") as at:
        for position, head in heads.items():
            at.position = position
            row = row_of(storing, head, known=known, now=now)
            at.position = ""  # those below have positions of their own
            rows = (
                rows_below(storing, below[position], row, known=known, now=now) if position in below else ()
            )
            found.append(Chain(head=row, below=rows))
    return found


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
            rows.append(as_child(row, node.ticker, parent=parent))
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
    work = work_of(storing, ticker, known=known, request=request)
    return time_ticker_row(ticker, work, now=now, created_by=storing.operations.who(None))


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
    function = known[storing.namespace(ticker.namespace), ticker.function]
    refused = None
    if request is None:
        try:
            request = storing.packed(ticker.request, function)
        except TickerValidationError as error:
            refused = error
    if refused is None:
        return function.plan.work_of(ticker, request)
    return _refused_beside(refused, function.plan, ticker)


def _refused_beside(error: TickerValidationError, plan: WorkPlan, ticker: TimeTicker | CronTicker) -> Work:
    """Raise the error of a ticker's request, with those of its other fields."""

    def refuse() -> None:
        raise error

    with Gathering() as check:
        check(refuse)
        return check(plan.work_of, ticker, None)


def _in_namespace(storing: UnitOfWork, node: ChainNode, head: TimeTicker | CronTicker) -> ChainNode:
    namespace = storing.namespace(head.namespace)
    asked = node.ticker.namespace
    if asked is not None and asked != namespace:
        raise TickerValidationError(f"{node.path}.namespace", asked, f"its chain is in {namespace!r}")
    return replace(node, ticker=replace(node.ticker, namespace=namespace))
