"""The tickers below the head of a chain as rows, each checked like a ticker of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from tickerq_celery.chains import Node, nodes_below
from tickerq_celery.codec import Packed
from tickerq_celery.drafts import as_child, ticker_fields, time_ticker_row
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.storing import Known, Storing


def chain_below(storing: Storing, head: Any) -> list[Node]:
    """Return the tickers below ``head``, each after its parent and with the namespace of the head.

    Raises:
        TickerValidationError: The chain is too large, too deep or no chain, or leaves its namespace.
    """
    return [_in_namespace(storing, node, head) for node in nodes_below(head)]


def rows_below(
    storing: Storing,
    nodes: Sequence[Node],
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
        with naming(node):
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


@contextmanager
def naming(node: Node) -> Iterator[None]:
    """Let an error say which child of a chain has the field that it names."""
    try:
        yield
    except TickerValidationError as error:
        raise TickerValidationError(f"{node.path}.{error.field}", error.value, error.reason) from error


def _in_namespace(storing: Storing, node: Node, head: Any) -> Node:
    namespace = storing.namespace(head.namespace)
    asked = node.ticker.namespace
    if asked is not None and asked != namespace:
        raise TickerValidationError(f"{node.path}.namespace", asked, f"its chain is in {namespace!r}")
    return replace(node, ticker=replace(node.ticker, namespace=namespace))
