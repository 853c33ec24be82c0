"""The tickers below the head of a chain as rows, each checked like a ticker of its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.batches import naming
from tickerq_celery.managers.unique_keys import Chain
from tickerq_celery.managers.unit_of_work import Known, Storing
from tickerq_celery.payload.codec import Packed
from tickerq_celery.tickers.chains import ChainNode, nodes_below
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.run_rows import as_child, ticker_fields, time_ticker_row


def chain_below(storing: Storing, head: Any, *, place: str) -> list[ChainNode]:
    """Return the tickers below ``head``, each after its parent and with the namespace of the head.

    Their paths begin with the ``place`` of the head in its call.

    Raises:
        TickerValidationError: The chain is too large, too deep or no chain, or leaves its namespace.
    """
    with naming(place):
        found = [_in_namespace(storing, node, head) for node in nodes_below(head)]
    return [replace(node, path=f"{place}{node.path}") for node in found]


def with_children(batch: Mapping[str, Any], chains: Iterable[Sequence[ChainNode]]) -> dict[str, Any]:
    """Return the tickers of a batch, and those below them, by their places in the call."""
    return {**batch, **{f"{node.path}.": node.ticker for nodes in chains for node in nodes}}


def chain_rows(
    storing: Storing,
    head: TimeTicker,
    nodes: Sequence[ChainNode],
    *,
    place: str,
    known: Mapping[tuple[str, str], Known],
    now: datetime,
) -> Chain:
    """Return the row of a time ticker at its ``place`` in the call, and those of the ``nodes`` below it.

    Raises:
        TickerValidationError: A field cannot be stored; its name begins with the ticker's place.
    """
    with naming(place):
        row = row_of(storing, head, known=known, now=now)
    return Chain(head=row, below=rows_below(storing, nodes, row, known=known, now=now))


def rows_below(
    storing: Storing,
    nodes: Sequence[ChainNode],
    head: Mapping[str, Any],
    *,
    known: Mapping[tuple[str, str], Known],
    now: datetime,
) -> list[dict[str, Any]]:
    """Return the rows of a chain below the row of its ``head``, parents first.

    Raises:
        TickerValidationError: A field of a child cannot be stored; its name begins with the child's path.
    """
    rows: list[dict[str, Any]] = []
    for node in nodes:
        parent = head if node.parent is None else rows[node.parent]
        with naming(f"{node.path}."):
            row = row_of(storing, node.ticker, known=known, now=now)
            rows.append(as_child(row, node.ticker, parent_id=parent["id"]))
    return rows


def row_of(
    storing: Storing,
    ticker: Any,
    *,
    known: Mapping[tuple[str, str], Known],
    now: datetime,
    request: Packed | None = None,
) -> dict[str, Any]:
    """Return the row of one time ticker, as if it stood alone, with its own request or the one given.

    Raises:
        TickerValidationError: A field cannot be stored.
    """
    namespace = storing.namespace(ticker.namespace)
    function = known[namespace, ticker.function]
    return time_ticker_row(
        ticker,
        namespace=namespace,
        function=ticker.function,
        request=storing.packed(ticker.request, function) if request is None else request,
        now=now,
        shared=ticker_fields(ticker, function.defaults),
    )


def _in_namespace(storing: Storing, node: ChainNode, head: Any) -> ChainNode:
    namespace = storing.namespace(head.namespace)
    asked = node.ticker.namespace
    if asked is not None and asked != namespace:
        raise TickerValidationError(f"{node.path}.namespace", asked, f"its chain is in {namespace!r}")
    return replace(node, ticker=replace(node.ticker, namespace=namespace))
