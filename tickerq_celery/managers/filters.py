"""What ``find`` and ``count`` can look for: one table of filters for runs of every kind."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import Any, TypedDict
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.enums import (
    HoldReason,
    HoldReasonLike,
    TickerKind,
    TickerKindLike,
    TickerStatus,
    TickerStatusLike,
    TickerType,
    TickerTypeLike,
)
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.store.filters import RunFilter
from tickerq_celery.tickers.keywords import refuse_unknown

_LONGEST_SEARCH = 200


class RunFilters(TypedDict, total=False):
    """The keywords of ``find``; a run meets all of them, and None means any.

    ``kind`` tells runs of functions from those of Celery tasks, of which ``function`` is the task's name, and
    ``task_id`` the id of the messages, as ``AsyncResult.id``. ``held_for`` is why a due run may not run yet.
    ``outcome_known`` tells Done from "published", and ``is_published`` what is shown as Published, see
    ``Run``. Times are ``from`` (inclusive) and ``until``
    (exclusive). ``error`` is part of an exception's type or text, in any case.
    """

    function: str | None
    kind: TickerKindLike | None
    task_id: str | None
    status: TickerStatusLike | Collection[TickerStatusLike] | None
    outcome_known: bool | None
    is_published: bool | None
    held_for: HoldReasonLike | None
    type: TickerTypeLike | None
    tag: str | None
    error: str | None
    parent_id: UUID | str | None
    cron_ticker_id: UUID | str | None
    execution_from: datetime | None
    execution_until: datetime | None
    ended_from: datetime | None
    ended_until: datetime | None


def run_filter(given: RunFilters) -> RunFilter:
    """Return the checked filter.

    Raises:
        TickerValidationError: A filter does not exist, or its value means nothing.
    """
    checked: dict[str, Any] = {}
    refuse_unknown("find has no such filter", given, _CHECKS)
    for name, value in given.items():
        if value is not None:
            checked[name] = _CHECKS[name](name, value)
    return RunFilter(**checked)


def _text(field: str, value: object) -> str:
    return validation.words(field, value, validation.LONGEST_FUNCTION)


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
    "function": _text,
    "kind": partial(validation.member, among=TickerKind),
    "task_id": partial(validation.name, longest=validation.LONGEST_TASK_ID),
    "status": _statuses,
    "outcome_known": validation.flag,
    "is_published": validation.flag,
    "held_for": partial(validation.member, among=HoldReason),
    "type": partial(validation.member, among=TickerType),
    "tag": _text,
    "error": _search,
    "parent_id": _identifier,
    "cron_ticker_id": _identifier,
    "execution_from": validation.moment,
    "execution_until": validation.moment,
    "ended_from": validation.moment,
    "ended_until": validation.moment,
}
