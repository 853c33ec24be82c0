"""What can be asked of runs of every kind: each criterion as a keyword, and with what checks its value."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, TypedDict, get_origin, get_type_hints
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
from tickerq_celery.tickers.keywords import refuse_unknown

Check = Callable[[str, object], Any]
_LONGEST_NODE, _MOST_HOLD_KEYS = 200, 200


class RunCriteria(TypedDict, total=False):
    """What is asked of a run; it meets all of it, and None means any.

    ``function`` is a name, or several; ``function_prefix`` is how a name begins, such as "shop.".
    ``kind`` tells runs of functions from those of Celery tasks, of which ``function`` is the task's name, and
    ``task_id`` the id of the messages, as ``AsyncResult.id``. ``held_for`` is why a due run may not run yet,
    ``hold_key`` under which key that is, a run's own or such as ``Pause.key``, or several.
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


def _several(given: object) -> Collection[object]:
    """Return what a criterion means that takes one value, or several."""
    return given if isinstance(given, Collection) and not isinstance(given, str) else [given]


def function_names(field: str, value: object) -> Collection[str]:
    """Return the names that a filter means, which is one of them or several.

    Raises:
        TickerValidationError: They are too many, or one is none.
    """
    asked = _several(value)
    if len(asked) > validation.MOST_FUNCTIONS:
        raise TickerValidationError(field, value, f"at most {validation.MOST_FUNCTIONS} functions at once")
    return {validation.words(field, each, validation.LONGEST_FUNCTION) for each in asked}


def _hold_keys(field: str, value: object) -> Collection[str]:
    asked = _several(value)
    if len(asked) > _MOST_HOLD_KEYS:
        raise TickerValidationError(field, value, f"at most {_MOST_HOLD_KEYS} keys at once")
    return {validation.words(field, each, validation.LONGEST_HOLD_KEY) for each in asked}


def _search(field: str, value: object) -> str:
    if value == "":
        raise TickerValidationError(field, value, "pass a text to look for")
    return validation.words(field, value, validation.LONGEST_SEARCH)


def _statuses(field: str, value: object) -> Collection[TickerStatus]:
    return {validation.member(field, each, TickerStatus) for each in _several(value)}


def _identifier(field: str, value: object) -> UUID:
    return validation.identifier(value, field)


def _attempts(field: str, value: object) -> int:
    return validation.whole(field, value, 0, validation.MOST_ATTEMPTS)


def _text(longest: int) -> Check:
    return partial(validation.words, longest=longest)


# What a criterion is checked to be, and what checks it.
_Flag = Annotated[bool | None, validation.flag]
_Id = Annotated[UUID | None, _identifier]
_Moment = Annotated[datetime | None, validation.moment]
_Names = Annotated[Collection[str] | None, function_names]
_Search = Annotated[str | None, _search]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs are meant; None means any, an empty collection none. ``exclude`` says which of them not.

    ``routed`` are functions whose runs without a queue of their own are meant by ``queue``, too.
    """

    function: _Names = None
    function_prefix: _Search = None
    kind: Annotated[TickerKind | None, partial(validation.member, among=TickerKind)] = None
    task_id: Annotated[str | None, partial(validation.name, longest=validation.LONGEST_TASK_ID)] = None
    status: Annotated[Collection[TickerStatus] | None, _statuses] = None
    outcome_known: _Flag = None
    is_published: _Flag = None
    held_for: Annotated[HoldReason | None, partial(validation.member, among=HoldReason)] = None
    hold_key: Annotated[Collection[str] | None, _hold_keys] = None
    type: Annotated[TickerType | None, partial(validation.member, among=TickerType)] = None
    tag: Annotated[str | None, _text(validation.LONGEST_FUNCTION)] = None
    error: _Search = None
    error_type: Annotated[str | None, _text(validation.LONGEST_ERROR_TYPE)] = None
    is_late: _Flag = None
    node: Annotated[str | None, _text(_LONGEST_NODE)] = None
    queue: Annotated[str | None, _text(validation.LONGEST_QUEUE)] = None
    routed: _Names = None
    priority: Annotated[TickerPriority | None, partial(validation.member, among=TickerPriority)] = None
    origin: Annotated[Origin | None, partial(validation.member, among=Origin)] = None
    unique_key: Annotated[str | None, _text(validation.LONGEST_KEY)] = None
    concurrency_key: Annotated[str | None, _text(validation.LONGEST_CONCURRENCY_KEY)] = None
    min_attempts: Annotated[int | None, _attempts] = None
    min_elapsed: Annotated[timedelta | None, validation.duration] = None
    root_id: _Id = None
    parent_id: _Id = None
    cron_ticker_id: _Id = None
    execution_from: _Moment = None
    execution_until: _Moment = None
    due_from: _Moment = None
    due_until: _Moment = None
    ended_from: _Moment = None
    ended_until: _Moment = None
    exclude: "RunFilter | None" = None

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked for, by its name."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def asks_published(self) -> bool:
        """Whether calls are asked for of which nothing but their publication is known."""
        return self.outcome_known is False or self.is_published is True


# All that may be asked, by its name.
CRITERIA: Mapping[str, Check] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(RunFilter, include_extras=True).items()
    if get_origin(hint) is Annotated
}


def run_filter(given: RunFilters) -> RunFilter:
    """Return the checked filter.

    Raises:
        TickerValidationError: A filter does not exist, or its value means nothing, alone or without another.
    """
    asked = {name: value for name, value in given.items() if name != "exclude"}
    refuse_unknown("there is no such filter", asked, [*CRITERIA, "exclude"])
    excluded: object = given.get("exclude")
    if excluded is None:
        return RunFilter(**_checked(asked))
    if not isinstance(excluded, Mapping):
        raise TickerValidationError("exclude", excluded, "pass a dict of filters")
    refuse_unknown("exclude has no such filter", excluded, CRITERIA)
    return RunFilter(**_checked(asked), exclude=RunFilter(**_checked(excluded, "exclude.")))


def _checked(given: Mapping[str, object], position: str = "") -> dict[str, Any]:
    asked = {name: value for name, value in given.items() if value is not None}
    if "routed" in asked and "queue" not in asked:
        # It is no condition of its own: alone, it would mean all runs.
        raise TickerValidationError(f"{position}routed", asked["routed"], "it needs `queue`, pass both")
    return {name: CRITERIA[name](position + name, value) for name, value in asked.items()}
