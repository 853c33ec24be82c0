"""Cron tickers as their table holds them, each with the chain of its occurrences."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tickerq_celery.ids import new_id
from tickerq_celery.managers.batches import naming
from tickerq_celery.managers.chains import chain_below, rows_below, with_children
from tickerq_celery.managers.unit_of_work import Known, Storing
from tickerq_celery.payload.codec import Packed
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.chain_templates import Template, check_template, template_of
from tickerq_celery.tickers.chains import Node
from tickerq_celery.tickers.cron_rows import cron_ticker_row
from tickerq_celery.tickers.inputs import CronTicker


def cron_rows(
    storing: Storing,
    tx: Transaction,
    batch: Mapping[str, CronTicker],
    *,
    allow_unknown: bool,
    run_count: int = 0,
    request: Packed | None = None,
) -> list[dict[str, Any]]:
    """Return the row of each cron ticker, checked, in their order, with its own request or the one given.

    The batch has them by their places in the call, with which the name of a bad field begins.

    ``run_count`` is how often it has fired.

    Raises:
        InvalidCronError: An expression cannot be parsed, or never fires.
        TickerValidationError: A field or a request cannot be stored.
        UnknownFunctionError: No worker knows a function that one of them or of their chains names.
    """
    chains = {place: chain_below(storing, ticker, place=place) for place, ticker in batch.items()}
    named = with_children(batch, chains.values())
    known = storing.known(tx, named, allow_unknown=allow_unknown)
    now = tx.now
    rows = []
    for place, ticker in batch.items():
        children = _template(storing, chains[place], known, now, place)
        with naming(place):
            row = _row(storing, ticker, known, children, now=now, run_count=run_count, request=request)
        rows.append(row)
    return rows


def _row(
    storing: Storing,
    ticker: CronTicker,
    known: dict[tuple[str, str], Known],
    children: Template | None,
    *,
    now: datetime,
    run_count: int,
    request: Packed | None,
) -> dict[str, Any]:
    namespace = storing.namespace(ticker.namespace)
    function = known[namespace, ticker.function]
    return cron_ticker_row(
        ticker,
        namespace=namespace,
        request=storing.packed(ticker.request, function) if request is None else request,
        children=children,
        defaults=function.defaults,
        default_zone=storing.core.config.time_zone,
        now=now,
        run_count=run_count,
    )


def _template(
    storing: Storing, nodes: Sequence[Node], known: dict[tuple[str, str], Known], now: datetime, place: str
) -> Template | None:
    for node in nodes:
        check_template(node)
    # Any id will do for the head: a template names parents by their place.
    rows = rows_below(storing, nodes, {"id": new_id()}, known=known, now=now)
    with naming(place):
        return template_of(nodes, rows, limit=storing.core.config.payload_limit)
