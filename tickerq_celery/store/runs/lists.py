"""The lists of runs, each in its order: which index finds their rows, and a page of one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement

from tickerq_celery.enums import TERMINAL, TickerKind, TickerStatus, TickerType
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading import active_runs, list_pages
from tickerq_celery.store.reading.filter_json import filter_as_json
from tickerq_celery.store.reading.filters import conditions
from tickerq_celery.store.reading.index_scans import EARLIEST, Scan
from tickerq_celery.store.reading.list_pages import ListQuery
from tickerq_celery.store.reading.ordered_reads import Reach, Stage
from tickerq_celery.store.runs.summaries import SUMMARY_COLUMNS, run_summary
from tickerq_celery.store.tables import tickers
from tickerq_celery.tickers.criteria import RunFilter
from tickerq_celery.tickers.listings import Listing
from tickerq_celery.tickers.summaries import RunSummary

_T = tickers.c
Conditions = Sequence[ColumnElement[bool]]


def history(tx: Transaction, wanted: RunFilter) -> list[Stage]:
    """Return what has ended, by its end, the latest first."""
    ended = Stage(
        name="ended",
        order=(_T.ended_at, _T.id),
        types=(datetime, UUID),
        moment=_T.ended_at,
        scans=[
            Scan(index=index, equal=equal, since=wanted.ended_from or EARLIEST, until=wanted.ended_until)
            for index, equals in [_prefixes(wanted)]
            for equal in equals
        ],
        is_descending=True,
    )
    return [ended]


def _prefixes(wanted: RunFilter) -> tuple[str, Iterable[Sequence[tuple[ColumnElement[Any], object]]]]:
    """Return an index of history, and the equal columns by which each scan searches it."""
    statuses = sorted(TERMINAL if wanted.status is None else TERMINAL & set(wanted.status))
    by_status = [(_T.ended_status, status) for status in statuses]
    if wanted.root_id is not None and statuses:
        return "ix_tickerq_tickers_root", [[(_T.root_id, wanted.root_id)]]
    if wanted.cron_ticker_id is not None:
        return "ix_tickerq_tickers_cron", product([(_T.cron_ticker_id, wanted.cron_ticker_id)], by_status)
    if wanted.node is not None and statuses:
        return "ix_tickerq_tickers_ended_on", [[(_T.ended_on, wanted.node)]]
    if wanted.function is not None:
        names = [(_T.function, name) for name in sorted(wanted.function)]
        return "ix_tickerq_tickers_function", product(names, by_status)
    # Only calls are published: where few of many runs are, few of many are read.
    kind = TickerKind.CELERY_TASK if wanted.asks_published else wanted.kind
    if len(statuses) < len(TERMINAL) and not (wanted.asks_published and statuses):
        return "ix_tickerq_tickers_ended_status", [[each] for each in by_status]
    if wanted.type is not None or kind is not None:
        types = [(_T.type, int(each)) for each in (TickerType if wanted.type is None else [wanted.type])]
        kinds = [(_T.kind, each.value) for each in (TickerKind if kind is None else [kind])]
        return "ix_tickerq_tickers_kind", product(types, kinds)
    return "ix_tickerq_tickers_ended_at", [[]]


def active(tx: Transaction, wanted: RunFilter) -> list[Stage]:
    """Return what runs, the longest first, what is queued, and what is held, by its cause."""
    running = Stage(
        name="running",
        order=(_T.started_at, _T.id),
        types=(datetime, UUID),
        moment=_T.started_at,
        # They are as many as the workers run at once, and are put in order among themselves.
        scans=[Scan(index="ix_tickerq_tickers_running_on", conditions=[active_runs.IS_RUNNING])],
    )
    queued = Stage(
        name="queued",
        order=(_T.check_at, _T.id),
        types=(datetime, UUID),
        moment=_T.check_at,
        scans=[Scan(index="ix_tickerq_tickers_check_at", since=EARLIEST)],
    )
    is_held = active_runs.IS_HELD if wanted.held_for is None else _T.held_for == wanted.held_for.value
    held = Stage(
        name="held",
        order=(_T.held_for, _T.hold_key, _T.priority, _T.id),
        types=(str, str, int, UUID),
        moment=_T.held_since,
        scans=[Scan(index="ix_tickerq_tickers_held_for", conditions=[is_held])],
    )
    by_status = {
        TickerStatus.IN_PROGRESS: running,
        TickerStatus.QUEUED: queued,
        TickerStatus.IDLE: held,
    }
    asked = by_status.keys() if wanted.status is None else wanted.status
    stages = [stage for status, stage in by_status.items() if status in asked]
    return stages if wanted.held_for is None else [stage for stage in stages if stage is held]


def upcoming(tx: Transaction, wanted: RunFilter) -> list[Stage]:
    """Return what is due by now and what will be, in that order."""
    of_ours = [(_T.namespace, tx.namespace)]
    due = Stage(
        name="due",
        order=(_T.due_at, _T.id),
        types=(datetime, UUID),
        moment=_T.due_at,
        scans=[
            Scan(
                index="ix_tickerq_tickers_namespace_due_at",
                equal=of_ours,
                since=wanted.due_from or EARLIEST,
                until=wanted.due_until,
            )
        ],
    )
    return [due]


LISTS: Mapping[str, Callable[[Transaction, RunFilter], list[Stage]]] = {
    "history": history,
    "active": active,
    "upcoming": upcoming,
}


def page(
    tx: Transaction,
    listing: str,
    wanted: RunFilter,
    *,
    limit: int,
    cursor: str | None,
    reach: Reach | None = None,
) -> Listing[RunSummary]:
    """Return a page of the list of this name, read as far as ``reach``, or 2,000 rows."""
    query = ListQuery(
        name=listing,
        stages=LISTS[listing](tx, wanted),
        which=[tickers.c.namespace == tx.namespace, *conditions(tx, wanted)],
        filters=filter_as_json(wanted),
        columns=SUMMARY_COLUMNS,
        make_item=run_summary,
    )
    return list_pages.page(tx, query, limit=limit, cursor=cursor, reach=reach)
