"""Cron tickers as their table holds them, each with the chain of its occurrences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from tickerq_celery.managers.batches import naming
from tickerq_celery.managers.chains import chain_below, chain_tickers, with_children, work_of
from tickerq_celery.managers.unit_of_work import Known, UnitOfWork
from tickerq_celery.payload.codec import Packed
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.tickers.chain_templates import Template, check_template, template_of
from tickerq_celery.tickers.chains import ChainNode
from tickerq_celery.tickers.cron_rows import CronRow, cron_ticker_row
from tickerq_celery.tickers.inputs import CronTicker


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """What an edit keeps: how often the cron ticker has fired, and the request, unless that is None."""

    run_count: int = 0
    request: Packed | None = None


_NEW = Unchanged()
_NONE_UNCHANGED: Mapping[str, Unchanged] = MappingProxyType({})


def cron_rows(
    storing: UnitOfWork,
    tx: Transaction,
    batch: Mapping[str, CronTicker],
    *,
    allow_unknown: bool,
    unchanged: Mapping[str, Unchanged] = _NONE_UNCHANGED,
) -> list[CronRow]:
    """Return the row of each cron ticker, checked, in their order.

    The batch has them by their positions in the call, with which the name of a bad field begins; so has
    ``unchanged`` what an edit keeps.

    Raises:
        InvalidCronError: An expression cannot be parsed, or never fires.
        TickerValidationError: A field or a request cannot be stored.
        UnknownFunctionError: No worker knows a function that one of them or of their chains names.
    """
    chains = {position: chain_below(storing, ticker, position=position) for position, ticker in batch.items()}
    named = with_children(batch, chains.values())
    known = storing.known(tx, named, allow_unknown=allow_unknown)
    rows = []
    for position, ticker in batch.items():
        children = _template(storing, chains[position], known, position)
        stays = unchanged.get(position, _NEW)
        with naming(position):
            row = cron_ticker_row(
                ticker,
                work_of(storing, ticker, known=known, request=stays.request),
                children=children,
                default_zone=storing.core.config.time_zone,
                now=tx.now,
                run_count=stays.run_count,
            )
        rows.append(replace(row, created_by=storing.operations.who(None)))
    return rows


def _template(
    storing: UnitOfWork, nodes: Sequence[ChainNode], known: Mapping[tuple[str, str], Known], position: str
) -> Template | None:
    for node in nodes:
        check_template(node)
    chain = chain_tickers(storing, nodes, known=known)
    with naming(position):
        return template_of(chain, limit=storing.core.config.payload_limit)
