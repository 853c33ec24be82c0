"""The conditions of a filter of runs, which find them by an index where there is one."""

import json
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, false, func, not_, or_, select, type_coerce

from tickerq_celery.enums import SUCCEEDED, TERMINAL, TickerKind, TickerStatus
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.reading.active_runs import BY_STATUS
from tickerq_celery.store.tables import attempts, tickers
from tickerq_celery.tickers.claims import hold_keys_shown_as
from tickerq_celery.tickers.criteria import RunFilter

# MariaDB may take all characters behind the first 65,536 ones for this one.
_REPLACEMENT = "\ufffd"
_SURROGATES = range(0xD800, 0xE000)
_IS_CALL = tickers.c.kind == TickerKind.CELERY_TASK.value


def conditions(tx: Transaction, wanted: RunFilter) -> list[ColumnElement[bool]]:
    """Return what a run must meet, as conditions of SQL."""
    met = [
        _condition(tx, wanted, name, value)
        for name, value in wanted.asked.items()
        if name not in {"exclude", "routed"}
    ]
    if wanted.exclude is None:
        return met
    # What is unknown of a run is not so.
    return met + [not_(func.coalesce(each, false())) for each in conditions(tx, wanted.exclude)]


def _condition(tx: Transaction, wanted: RunFilter, name: str, value: Any) -> ColumnElement[bool]:
    if name == "queue":
        return _in_queue(value, wanted.routed or ())
    if name == "status" and not wanted.asks_published and SUCCEEDED.intersection(value):
        # A call that was only published is in no status of those that succeeded, unless it is asked for.
        return and_(_in_statuses(value), has_outcome(known=True))
    if name == "min_elapsed":
        return _took(tx, value)
    return _CONDITIONS[name](value) if name in _CONDITIONS else tickers.c[name] == value


def _in_queue(queue: str, routed: Collection[str]) -> ColumnElement[bool]:
    own = tickers.c.queue == queue
    sent = and_(tickers.c.queue.is_(None), tickers.c.function.in_(sorted(routed)))
    return or_(own, sent) if routed else own


def _took(tx: Transaction, least: timedelta) -> ColumnElement[bool]:
    """Return True of a run whose last attempt took so long, or has so far."""
    is_running = and_(tickers.c.status == TickerStatus.IN_PROGRESS, tickers.c.elapsed.is_(None))
    return or_(tickers.c.elapsed >= least, and_(is_running, tickers.c.started_at <= tx.sql_after(-least)))


def _has_attempts(least: int) -> ColumnElement[bool]:
    made = select(func.count()).where(attempts.c.ticker_id == tickers.c.id).scalar_subquery()
    return made >= least


def _on_node(name: str) -> ColumnElement[bool]:
    # Of what waits the lock holder is the beat that claimed it.
    is_running = and_(tickers.c.status == TickerStatus.IN_PROGRESS, tickers.c.lock_holder == name)
    return or_(tickers.c.ended_on == name, is_running)


def begins(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """Return True of a row whose column begins so."""
    # Not LIKE, which ignores case on SQLite.
    return func.substr(column, 1, len(prefix)) == prefix


def behind(prefix: str) -> str | None:
    """Return the first text behind all that begin so; None where no database is trusted to know it."""
    if not prefix or prefix[-1] >= _REPLACEMENT:
        return None
    following = ord(prefix[-1]) + 1
    return prefix[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)


def _in_statuses(statuses: Collection[TickerStatus]) -> ColumnElement[bool]:
    if not statuses:
        return false()
    if TERMINAL.issuperset(statuses):
        # The same runs, and history's index finds them where few of many ended so.
        return tickers.c.ended_status.in_(sorted(statuses))
    ended = TERMINAL.intersection(statuses)
    found = [BY_STATUS[each] for each in sorted(set(statuses) - ended)]
    return or_(*found, *([tickers.c.ended_status.in_(sorted(ended))] if ended else []))


def has_outcome(known: bool) -> ColumnElement[bool]:
    """Return True of a run whose outcome is known, or is not, as ``Run.outcome_known``."""
    # Of a call that no worker reported nothing but its publication is recorded.
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
        return or_(and_(is_call, is_waiting), has_outcome(known=False))
    return and_(has_outcome(known=True), not_(and_(is_call, is_waiting)))


def _mentions(text: str) -> ColumnElement[bool]:
    return or_(
        tickers.c.exception_type.icontains(text, autoescape=True),
        tickers.c.exception_message.icontains(text, autoescape=True),
        tickers.c.skipped_reason.icontains(text, autoescape=True),
    )


def has_tag(column: ColumnElement[Any], tag: str) -> ColumnElement[bool]:
    """Return True of a row whose column of tags has this one."""
    # With its quotes and neighbours it is a whole tag: `"eu"` is not in `"europe"`, `","` not in `"a","b"`.
    whole = [f"{before}{json.dumps(tag)}{after}" for before in "[," for after in ",]"]
    tags: Any = type_coerce(column, Text)
    # Not LIKE, which ignores case on SQLite.
    return or_(*(func.replace(tags, each, "") != tags for each in whole))


def _is_held_under(keys: Collection[str]) -> ColumnElement[bool]:
    return tickers.c.hold_key.in_(sorted(set().union(*map(hold_keys_shown_as, keys))))


# The filters that are more than a column's value.
_CONDITIONS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "function": lambda names: tickers.c.function.in_(sorted(names)),
    "function_prefix": partial(begins, tickers.c.function),
    "kind": lambda kind: tickers.c.kind == kind.value,
    "task_id": _has_task_id,
    "status": _in_statuses,
    "outcome_known": has_outcome,
    "is_published": _is_published,
    "tag": partial(has_tag, tickers.c.tags),
    "hold_key": _is_held_under,
    "error": _mentions,
    "error_type": lambda name: tickers.c.exception_type == name,
    "node": _on_node,
    "priority": lambda priority: tickers.c.priority == int(priority),
    "origin": lambda origin: tickers.c.origin == origin.value,
    "min_attempts": _has_attempts,
    "execution_from": lambda moment: tickers.c.execution_time >= moment,
    "execution_until": lambda moment: tickers.c.execution_time < moment,
    "due_from": lambda moment: tickers.c.due_at >= moment,
    "due_until": lambda moment: tickers.c.due_at < moment,
    "ended_from": lambda moment: tickers.c.ended_at >= moment,
    "ended_until": lambda moment: tickers.c.ended_at < moment,
}
