"""What ``find`` and ``count`` can look for: one table of filters for runs of every kind."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypedDict
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import (
    HoldReason,
    HoldReasonLike,
    Origin,
    OriginLike,
    TickerKind,
    TickerKindLike,
    TickerPriority,
    TickerPriorityLike,
    TickerStatus,
    TickerStatusLike,
    TickerType,
    TickerTypeLike,
)
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.store.reading.filters import RunFilter
from tickerq_celery.tickers.keywords import refuse_unknown

_LONGEST_SEARCH = 200
_MOST_FUNCTIONS = 50
_LONGEST_HOLD_KEY, _MOST_HOLD_KEYS = 300, 200
_MOST_ATTEMPTS = 1_000_000


class RunCriteria(TypedDict, total=False):
    """What is asked of a run; it meets all of it, and None means any.

    ``function`` is a name, or several; ``function_prefix`` is how a name begins, such as "shop.".
    ``kind`` tells runs of functions from those of Celery tasks, of which ``function`` is the task's name, and
    ``task_id`` the id of the messages, as ``AsyncResult.id``. ``held_for`` is why a due run may not run yet,
    ``hold_key`` under which key that is, such as ``Pause.key`` or the id of a paused cron ticker, or several.
    ``status`` Done or DueDone are runs that succeeded: calls that were only published are left out, unless
    ``outcome_known`` or ``is_published`` asks for them. ``outcome_known`` tells the two apart, and
    ``is_published`` finds what is shown as Published, see ``Run``. Times are ``from`` (inclusive) and
    ``until`` (exclusive), and ``due`` is when a run may be claimed next. ``error`` is part of an exception's
    type or text, or of why it was skipped, in any case, ``error_type`` all of an exception's type. With
    ``queue``, ``routed`` are functions whose runs without a queue of their own are meant, too, as Celery's
    router sends them there. ``node`` runs it, or ran its last attempt; ``root_id`` is the head of its chain;
    ``is_late`` says that it was claimed late. ``min_attempts`` is how many attempts it has had at least, and
    ``min_elapsed``, in seconds, how long the last one took, or has taken so far.
    """

    function: str | Collection[str] | None
    function_prefix: str | None
    kind: TickerKindLike | None
    task_id: str | None
    status: TickerStatusLike | Collection[TickerStatusLike] | None
    outcome_known: bool | None
    is_published: bool | None
    held_for: HoldReasonLike | None
    hold_key: str | Collection[str] | None
    type: TickerTypeLike | None
    tag: str | None
    error: str | None
    error_type: str | None
    is_late: bool | None
    node: str | None
    queue: str | None
    routed: str | Collection[str] | None
    priority: TickerPriorityLike | None
    origin: OriginLike | None
    unique_key: str | None
    concurrency_key: str | None
    min_attempts: int | None
    min_elapsed: timedelta | float | None
    root_id: UUID | str | None
    parent_id: UUID | str | None
    cron_ticker_id: UUID | str | None
    execution_from: datetime | None
    execution_until: datetime | None
    due_from: datetime | None
    due_until: datetime | None
    ended_from: datetime | None
    ended_until: datetime | None


class RunFilters(RunCriteria, total=False):
    """The keywords of ``find`` and of the lists: what is asked of a run, and by ``exclude`` what not.

    A run that meets one of the criteria of ``exclude`` is left out.
    """

    exclude: RunCriteria | None


def run_filter(given: RunFilters) -> RunFilter:
    """Return the checked filter.

    Raises:
        TickerValidationError: A filter does not exist, or its value means nothing, alone or without another.
    """
    asked = {name: value for name, value in given.items() if name != "exclude"}
    refuse_unknown("there is no such filter", asked, [*_CHECKS, "exclude"])
    excluded: object = given.get("exclude")
    if excluded is None:
        return RunFilter(**_checked(asked))
    if not isinstance(excluded, Mapping):
        raise TickerValidationError("exclude", excluded, "pass a dict of filters")
    refuse_unknown("exclude has no such filter", excluded, _CHECKS)
    return RunFilter(**_checked(asked), exclude=RunFilter(**_checked(excluded, "exclude.")))


def _checked(given: Mapping[str, object], position: str = "") -> dict[str, Any]:
    asked = {name: value for name, value in given.items() if value is not None}
    if "routed" in asked and "queue" not in asked:
        # It is no condition of its own: alone, it would mean all runs.
        raise TickerValidationError(f"{position}routed", asked["routed"], "it needs `queue`, pass both")
    return {name: _CHECKS[name](position + name, value) for name, value in asked.items()}


def _text(field: str, value: object) -> str:
    return validation.words(field, value, validation.LONGEST_FUNCTION)


def function_names(field: str, value: object) -> Collection[str]:
    """Return the names that a filter means, which is one of them or several.

    Raises:
        TickerValidationError: They are too many, or one is none.
    """
    asked = value if isinstance(value, Collection) and not isinstance(value, str) else [value]
    if len(asked) > _MOST_FUNCTIONS:
        raise TickerValidationError(field, value, f"at most {_MOST_FUNCTIONS} functions at once")
    return {_text(field, each) for each in asked}


def _hold_keys(field: str, value: object) -> Collection[str]:
    asked = value if isinstance(value, Collection) and not isinstance(value, str) else [value]
    if len(asked) > _MOST_HOLD_KEYS:
        raise TickerValidationError(field, value, f"at most {_MOST_HOLD_KEYS} keys at once")
    return {validation.words(field, each, _LONGEST_HOLD_KEY) for each in asked}


def _search(field: str, value: object) -> str:
    if value == "":
        raise TickerValidationError(field, value, "pass a text to look for")
    return validation.words(field, value, _LONGEST_SEARCH)


def _statuses(field: str, value: object) -> Collection[TickerStatus]:
    asked = value if isinstance(value, Collection) and not isinstance(value, str) else [value]
    return {validation.member(field, each, TickerStatus) for each in asked}


def _identifier(field: str, value: object) -> UUID:
    return validation.identifier(value, field)


_CHECKS: dict[str, Callable[[str, object], Any]] = {
    "function": function_names,
    "function_prefix": _search,
    "kind": partial(validation.member, among=TickerKind),
    "task_id": partial(validation.name, longest=validation.LONGEST_TASK_ID),
    "status": _statuses,
    "outcome_known": validation.flag,
    "is_published": validation.flag,
    "held_for": partial(validation.member, among=HoldReason),
    "hold_key": _hold_keys,
    "type": partial(validation.member, among=TickerType),
    "tag": _text,
    "error": _search,
    "error_type": partial(validation.words, longest=300),
    "is_late": validation.flag,
    "node": partial(validation.words, longest=200),
    "queue": partial(validation.words, longest=validation.LONGEST_QUEUE),
    "routed": function_names,
    "priority": partial(validation.member, among=TickerPriority),
    "origin": partial(validation.member, among=Origin),
    "unique_key": partial(validation.words, longest=validation.LONGEST_KEY),
    "concurrency_key": partial(validation.words, longest=validation.LONGEST_KEY),
    "min_attempts": partial(validation.whole, least=0, most=_MOST_ATTEMPTS),
    "min_elapsed": validation.duration,
    "root_id": _identifier,
    "parent_id": _identifier,
    "cron_ticker_id": _identifier,
    "execution_from": validation.moment,
    "execution_until": validation.moment,
    "due_from": validation.moment,
    "due_until": validation.moment,
    "ended_from": validation.moment,
    "ended_until": validation.moment,
}
