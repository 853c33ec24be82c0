"""Which runs are listed or counted, and the conditions that find them by an index where there is one."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, false, func, not_, or_, type_coerce

from tickerq_celery.enums import SUCCEEDED, TERMINAL, HoldReason, TickerKind, TickerStatus, TickerType
from tickerq_celery.store.tables import tickers

_IS_CALL = tickers.c.kind == TickerKind.CELERY_TASK.value


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list; None means any, an empty collection of statuses none."""

    function: str | None = None
    kind: TickerKind | None = None
    task_id: str | None = None
    status: Collection[TickerStatus] | None = None
    outcome_known: bool | None = None
    is_published: bool | None = None
    held_for: HoldReason | None = None
    type: TickerType | None = None
    tag: str | None = None
    error: str | None = None
    parent_id: UUID | None = None
    cron_ticker_id: UUID | None = None
    execution_from: datetime | None = None
    execution_until: datetime | None = None
    ended_from: datetime | None = None
    ended_until: datetime | None = None


def conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    """Return what a run must meet, as conditions of SQL."""
    asked = {each.name: getattr(wanted, each.name) for each in fields(RunFilter)}
    return [
        _CONDITIONS[name](value) if name in _CONDITIONS else tickers.c[name] == value
        for name, value in asked.items()
        if value is not None
    ]


def _in_statuses(statuses: Collection[TickerStatus]) -> ColumnElement[bool]:
    if not statuses:
        return false()
    if TERMINAL.issuperset(statuses):
        # The same runs, and history's index finds them where few of many ended so.
        return tickers.c.ended_status.in_(sorted(statuses))
    return tickers.c.status.in_(sorted(statuses))


def _has_outcome(known: bool) -> ColumnElement[bool]:
    # As Run.outcome_known: of a call that no worker reported nothing but its publication is recorded.
    if known:
        return or_(
            not_(_IS_CALL),
            tickers.c.status.not_in(sorted(SUCCEEDED)),
            tickers.c.started_at.is_not(None),
        )
    return and_(_IS_CALL, _in_statuses(SUCCEEDED), tickers.c.started_at.is_(None))


def _has_task_id(task_id: str) -> ColumnElement[bool]:
    own = tickers.c.task_id == task_id
    try:
        run_id = UUID(task_id)
    except ValueError:
        return own
    # A call that names no id has its run's.
    return or_(own, and_(tickers.c.id == run_id, tickers.c.task_id.is_(None), _IS_CALL))


def _is_published(published: bool) -> ColumnElement[bool]:
    # As Run.is_published.
    is_call = tickers.c.kind == TickerKind.CELERY_TASK.value
    is_waiting = and_(tickers.c.status == TickerStatus.QUEUED, tickers.c.published_at.is_not(None))
    if published:
        return or_(and_(is_call, is_waiting), _has_outcome(known=False))
    return and_(_has_outcome(known=True), not_(and_(is_call, is_waiting)))


def _mentions(text: str) -> ColumnElement[bool]:
    return or_(
        tickers.c.exception_type.icontains(text, autoescape=True),
        tickers.c.exception_message.icontains(text, autoescape=True),
    )


def _has_tag(tag: str) -> ColumnElement[bool]:
    # With its quotes and neighbours it is a whole tag: `"eu"` is not in `"europe"`, `","` not in `"a","b"`.
    whole = [f"{before}{json.dumps(tag)}{after}" for before in "[," for after in ",]"]
    tags: Any = type_coerce(tickers.c.tags, Text)
    # Not LIKE, which ignores case on SQLite.
    return or_(*(func.replace(tags, each, "") != tags for each in whole))


# The filters that are more than a column's value.
_CONDITIONS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "kind": lambda kind: tickers.c.kind == kind.value,
    "task_id": _has_task_id,
    "status": _in_statuses,
    "outcome_known": _has_outcome,
    "is_published": _is_published,
    "tag": _has_tag,
    "error": _mentions,
    "execution_from": lambda moment: tickers.c.execution_time >= moment,
    "execution_until": lambda moment: tickers.c.execution_time < moment,
    "ended_from": lambda moment: tickers.c.ended_at >= moment,
    "ended_until": lambda moment: tickers.c.ended_at < moment,
}
