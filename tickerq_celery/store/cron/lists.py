"""The lists of cron tickers, by their next run and by the name of their function, and which are failing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, ScalarSelect, and_, case, func, literal, or_, select

from tickerq_celery.enums import SUCCEEDED, TickerStatus
from tickerq_celery.store.cron.cron_pauses import BY_FAILURES
from tickerq_celery.store.database.dialects import dialect_of
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import list_pages
from tickerq_celery.store.reading.filters import begins, behind, has_tag
from tickerq_celery.store.reading.index_scans import EARLIEST, Scan
from tickerq_celery.store.reading.list_pages import ListQuery
from tickerq_celery.store.reading.ordered_reads import Stage
from tickerq_celery.store.reading.row_mapping import read_fields
from tickerq_celery.store.tables import cron_tickers, tickers
from tickerq_celery.tickers.listings import Listing
from tickerq_celery.tickers.summaries import CronSummary

_C, _T = cron_tickers.c, tickers.c
_STORED = tuple(each.name for each in fields(CronSummary) if each.name != "is_seeded")
_COLUMNS = tuple(_C[name] for name in _STORED)
# Rows that are read to know it of one: its own, its last failure twice, and its last end of two statuses.
_ROWS_OF_FAILING = 5
_INDEX = "ix_tickerq_tickers_cron"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronFilter:
    """Which cron tickers to list; None means any."""

    function: tuple[str, ...] | None = None
    function_prefix: str | None = None
    is_enabled: bool | None = None
    is_seeded: bool | None = None
    is_failing: bool | None = None
    tag: str | None = None


_BY_NEXT_RUN = "ix_tickerq_cron_tickers_namespace_next_run_at"
_BY_FUNCTION = "ix_tickerq_cron_tickers_namespace_function"


def by_next_run(tx: Transaction, wanted: CronFilter) -> list[Stage]:
    """Return what fires next, the soonest first, and then what does not fire: paused or ended."""
    here = _C.namespace == tx.namespace
    planned = Stage(
        name="planned",
        order=(_C.next_run_at, _C.id),
        types=(datetime, UUID),
        moment=_C.next_run_at,
        scans=[Scan(index=_BY_NEXT_RUN, since=EARLIEST, conditions=[here])],
    )
    unplanned = Stage(
        name="unplanned",
        order=(_C.id,),
        types=(UUID,),
        moment=_C.created_at,
        scans=[Scan(index=_BY_NEXT_RUN, conditions=[here, _C.next_run_at.is_(None)])],
        unset=(_C.next_run_at,),
    )
    # What is paused is not planned: it is not looked for among all that is.
    return [unplanned] if wanted.is_enabled is False else [planned, unplanned]


def by_name(tx: Transaction, wanted: CronFilter) -> list[Stage]:
    """Return all, in the order of their functions' names."""
    named = Stage(
        name="named",
        order=(_C.function, _C.id),
        types=(str, UUID),
        moment=_C.created_at,
        scans=[
            Scan(index=_BY_FUNCTION, conditions=[_C.namespace == tx.namespace, *each])
            for each in _ranges(wanted)
        ],
    )
    return [named]


def _ranges(wanted: CronFilter) -> Sequence[Sequence[ColumnElement[bool]]]:
    if wanted.function is not None:
        return [(_C.function == name,) for name in wanted.function]
    if wanted.function_prefix is not None:
        bound = behind(wanted.function_prefix)
        until = [] if bound is None else [_C.function < bound]
        return [(_C.function >= wanted.function_prefix, *until)]
    return [(_C.function > "",)]


_LISTS: Mapping[str, Callable[[Transaction, CronFilter], list[Stage]]] = {
    "crons_by_next_run": by_next_run,
    "crons_by_name": by_name,
}


def page(
    tx: Transaction, listing: str, wanted: CronFilter, *, limit: int, cursor: str | None
) -> Listing[CronSummary]:
    """Return a page of the list of this name."""
    query = ListQuery(
        name=listing,
        stages=_LISTS[listing](tx, wanted),
        which=[_C.namespace == tx.namespace, *_conditions(tx, wanted)],
        filters=asdict(wanted),
        columns=_COLUMNS,
        make_item=_summary,
        rows_each=1 if wanted.is_failing is None else _ROWS_OF_FAILING,
    )
    return list_pages.page(tx, query, limit=limit, cursor=cursor)


def _conditions(tx: Transaction, wanted: CronFilter) -> list[ColumnElement[bool]]:
    met: list[ColumnElement[bool]] = []
    if wanted.function is not None:
        met.append(_C.function.in_(wanted.function))
    if wanted.function_prefix is not None:
        met.append(begins(_C.function, wanted.function_prefix))
    if wanted.is_enabled is not None:
        met.append(_C.is_enabled.is_(wanted.is_enabled))
    if wanted.is_seeded is not None:
        has_seed = _C.seed_expression.is_not(None)
        met.append(has_seed if wanted.is_seeded else ~has_seed)
    if wanted.is_failing is not None:
        met.append(_is_failing(tx, wanted=wanted.is_failing))
    if wanted.tag is not None:
        met.append(has_tag(_C.tags, wanted.tag))
    return met


def _summary(row: Row[Any]) -> CronSummary:
    return CronSummary(**read_fields(row, _STORED), is_seeded=row.seed_expression is not None)


def _is_failing(tx: Transaction, *, wanted: bool) -> ColumnElement[bool]:
    """Return the condition that a cron ticker is failing, or that it is not.

    Done, DueDone and Failed count, also of manual runs; what was cancelled or skipped says nothing.
    """
    failed = _last(tx, TickerStatus.FAILED)
    last_failed = and_(
        *(
            failed > func.coalesce(_last(tx, status), literal(EARLIEST, _T.ended_at.type))
            for status in sorted(SUCCEEDED)
        )
    )
    paused = and_(_C.is_enabled.is_(False), _C.paused_by == BY_FAILURES)
    # Without any end it is unknown, which is no.
    return case((or_(paused, last_failed), 1), else_=0) == int(wanted)


def _last(tx: Transaction, status: TickerStatus) -> ScalarSelect[datetime]:
    """Return when a cron ticker's last run of one status ended."""
    newest = (
        select(_T.ended_at)
        .where(_T.cron_ticker_id == _C.id, _T.ended_status == status, _T.ended_at >= EARLIEST)
        .order_by(_T.ended_at.desc())
        .limit(1)
        .correlate(cron_tickers)
    )
    hint = dialect_of(tx.connection.dialect.name).index_hint(_INDEX)
    return (newest if hint is None else newest.with_hint(tickers, hint)).scalar_subquery()
