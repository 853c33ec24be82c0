"""Rows of runs in any state at once, and what a list of them is: plainly filtered and sorted."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.inner import Core, new_id
from tests.manual_clock import START
from tests.tables import tickers
from tickerq_celery.enums import (
    SUCCEEDED,
    TERMINAL,
    HoldReason,
    Origin,
    TickerKind,
    TickerPriority,
    TickerStatus,
    TickerType,
)
from tickerq_celery.store.database.batches import insert_rows

MINUTE = timedelta(minutes=1)
FUNCTIONS = ("shop.Send", "shop.Count", "mail.Send")
NODES = ("one@a", "two@b")
ROOTS = tuple(UUID(int=number) for number in (1, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the store, by its columns."""

    columns: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.columns[name]


def row(namespace: str, status: TickerStatus, **columns: Any) -> dict[str, Any]:
    """Return a row whose columns go together; what is not said is what a plain run has."""
    is_over = status in TERMINAL
    at = columns.pop("at", START)
    of_status: dict[str, Any] = {
        "due_at": at if status is TickerStatus.IDLE and "held_for" not in columns else None,
        "held_since": at if "held_for" in columns else None,
        "check_at": at if status is TickerStatus.QUEUED else None,
        "running_on": new_id() if status is TickerStatus.IN_PROGRESS else None,
        "started_at": at if status is TickerStatus.IN_PROGRESS else None,
        "ended_at": at if is_over else None,
        "ended_status": status if is_over else None,
        "held_for": None,
        "hold_key": None,
    }
    plain: dict[str, Any] = {
        "id": new_id(),
        "namespace": namespace,
        "type": int(TickerType.TIME_TICKER),
        "kind": TickerKind.FUNCTION.value,
        "function": FUNCTIONS[0],
        "status": status,
        "claim_no": 1,
        "publish_count": 0,
        "execution_time": at,
        "is_late": False,
        "encoding": 0,
        "executions": 0,
        "retries": 0,
        "retry_intervals": [],
        "retry_count": 0,
        "rescue_count": 0,
        "attempts_before": 0,
        "priority": int(TickerPriority.NORMAL),
        "tags": [],
        "origin": Origin.ADDED.value,
        "has_children": False,
        "created_at": START,
        "updated_at": START,
        "request": None,
        "elapsed": None,
        "exception_type": None,
        "exception_message": None,
        "root_id": None,
        "ended_on": None,
        "published_at": None,
        "lock_holder": None,
        "queue": None,
    }
    return plain | of_status | columns


def store(core: Core, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows as they are."""
    core.write(insert_rows, tickers, rows)


def some_rows(namespace: str, count: int, chance: random.Random) -> list[dict[str, Any]]:
    """Return rows in all states, many of which share a moment."""
    return [_some_row(namespace, chance) for _ in range(count)]


def _some_row(namespace: str, chance: random.Random) -> dict[str, Any]:
    status = chance.choice(list(TickerStatus))
    node = chance.choice(NODES)
    hold: dict[str, Any] = {}
    if status is TickerStatus.IDLE and chance.random() < 0.7:
        hold = {"held_for": chance.choice(list(HoldReason)).value, "hold_key": chance.choice("ab")}
    is_call = chance.random() < 0.5
    at = START + timedelta(minutes=chance.randrange(8))
    return row(
        namespace,
        status,
        at=at,
        started_at=at if status is TickerStatus.IN_PROGRESS else chance.choice([None, at]),
        published_at=chance.choice([None, at]),
        type=int(chance.choice(list(TickerType))),
        kind=(TickerKind.CELERY_TASK if is_call else TickerKind.FUNCTION).value,
        function=chance.choice(FUNCTIONS),
        priority=int(chance.choice(list(TickerPriority))),
        origin=chance.choice(list(Origin)).value,
        queue=chance.choice([None, "fast", "slow"]),
        is_late=chance.random() < 0.3,
        elapsed=timedelta(seconds=chance.randrange(5)) if status in TERMINAL else None,
        exception_type=chance.choice([None, "builtins.OSError", "shop.Gone"]),
        exception_message=chance.choice([None, "no route", "50% off_"]),
        tags=chance.sample(["eu", "us", "europe"], chance.randrange(3)),
        root_id=chance.choice([None, *ROOTS]),
        ended_on=node if status in TERMINAL else None,
        lock_holder=node,
        **hold,
    )


def _active(run: Row) -> Any:
    if run.status is TickerStatus.IN_PROGRESS:
        return (0, run.started_at, run.id)
    if run.status is TickerStatus.QUEUED:
        return (1, run.check_at, run.id)
    if run.held_for is not None:
        return (2, run.held_for, run.hold_key, run.priority, run.id)
    return None


# How a plain reader of all rows would sort each list: a key of what belongs to it, None of what does not.
ORDERS: dict[str, Callable[[Row], Any]] = {
    "history": lambda run: (run.ended_at, run.id) if run.status in TERMINAL else None,
    "upcoming": lambda run: (run.due_at, run.id) if run.due_at is not None else None,
    "active": _active,
}
# What each filter asks of a row, in plain words.
CRITERIA: dict[str, Callable[[Row, Any], bool]] = {
    "function": lambda run, names: run.function in ([names] if isinstance(names, str) else names),
    "function_prefix": lambda run, prefix: run.function.startswith(prefix),
    "status": lambda run, status: run.status in (status if isinstance(status, list) else [status]),
    "outcome_known": lambda run, known: _is_unreported(run) is not known,
    "is_published": lambda run, published: _is_published(run) is published,
    "type": lambda run, kind: run.type == int(kind),
    "kind": lambda run, kind: run.kind == kind,
    "node": lambda run, node: (
        run.ended_on == node or (run.status is TickerStatus.IN_PROGRESS and run.lock_holder == node)
    ),
    "root_id": lambda run, root: run.root_id == root,
    "priority": lambda run, priority: run.priority == int(priority),
    "origin": lambda run, origin: run.origin == origin,
    "is_late": lambda run, late: run.is_late is late,
    "error_type": lambda run, name: run.exception_type == name,
    "error": lambda run, text: any(
        text.lower() in (part or "").lower() for part in (run.exception_type, run.exception_message)
    ),
    "tag": lambda run, tag: tag in run.tags,
    "min_elapsed": lambda run, least: _took(run) >= timedelta(seconds=least),
    "held_for": lambda run, reason: run.held_for == reason,
    "ended_from": lambda run, moment: run.ended_at is not None and run.ended_at >= moment,
    "ended_until": lambda run, moment: run.ended_at is not None and run.ended_at < moment,
    "due_until": lambda run, moment: run.due_at is not None and run.due_at < moment,
}


def _is_unreported(run: Row) -> bool:
    is_call, succeeded = run.kind == TickerKind.CELERY_TASK, run.status in SUCCEEDED
    return is_call and succeeded and run.started_at is None


def _is_published(run: Row) -> bool:
    is_queued_call = run.kind == TickerKind.CELERY_TASK and run.status is TickerStatus.QUEUED
    return _is_unreported(run) or (is_queued_call and run.published_at is not None)


def _took(run: Row) -> timedelta:
    if run.status is TickerStatus.IN_PROGRESS:
        return START - run.started_at
    return -MINUTE if run.elapsed is None else run.elapsed


def some_criteria(chance: random.Random) -> dict[str, Any]:
    """Return up to three filters, and sometimes a queue with functions that are routed there."""
    moment: datetime = START + timedelta(minutes=chance.randrange(8))
    of_each: dict[str, Any] = {
        "function": chance.choice([*FUNCTIONS, list(FUNCTIONS[:2])]),
        "function_prefix": chance.choice(["shop.", "SHOP.", "mail"]),
        "status": chance.choice([*TickerStatus, [TickerStatus.FAILED, TickerStatus.DONE]]),
        "outcome_known": chance.choice([True, False]),
        "is_published": chance.choice([True, False]),
        "type": chance.choice(list(TickerType)),
        "kind": chance.choice(list(TickerKind)),
        "node": chance.choice(NODES),
        "root_id": chance.choice(ROOTS),
        "queue": chance.choice(["fast", "slow"]),
        "priority": chance.choice(list(TickerPriority)),
        "origin": chance.choice(list(Origin)),
        "is_late": chance.choice([True, False]),
        "error_type": chance.choice(["builtins.OSError", "OSError"]),
        "error": chance.choice(["ROUTE", "50%", "_"]),
        "tag": chance.choice(["eu", "us"]),
        "min_elapsed": chance.randrange(5),
        "held_for": chance.choice(list(HoldReason)),
        "ended_from": moment,
        "ended_until": moment,
        "due_until": moment,
    }
    some = {name: of_each[name] for name in chance.sample(list(of_each), chance.randrange(4))}
    if chance.random() < 0.2:
        some["queue"] = of_each["queue"]
        some["routed"] = chance.choice([FUNCTIONS[0], [], list(FUNCTIONS[1:])])
    if chance.random() < 0.3:
        some["status"] = chance.choice([TickerStatus.DONE, sorted(SUCCEEDED)])
    return some


def _answers(run: Row, filters: dict[str, Any]) -> Iterator[bool]:
    """Yield whether a row meets each of the filters."""
    routed = filters.get("routed", [])
    asks_published = filters.get("outcome_known") is False or filters.get("is_published") is True
    for name, value in filters.items():
        if name == "queue":
            is_sent = run.queue is None and CRITERIA["function"](run, routed)
            yield run.queue == value or is_sent
        elif name == "status":
            yield CRITERIA[name](run, value) and (asks_published or not _is_unreported(run))
        elif name != "routed":
            yield CRITERIA[name](run, value)


def expected(listing: str, rows: Sequence[dict[str, Any]], filters: dict[str, Any]) -> list[UUID]:
    """Return the ids of a list, by looking at every row."""
    asked = {name: value for name, value in filters.items() if name != "exclude"}
    excluded = filters.get("exclude", {})
    keys = {}
    for run in (Row(columns=each) for each in rows):
        key = ORDERS[listing](run)
        is_asked = all(_answers(run, asked))
        is_excluded = any(_answers(run, excluded))
        if key is not None and is_asked and not is_excluded:
            keys[run.id] = key
    return sorted(keys, key=lambda each: keys[each], reverse=listing == "history")
