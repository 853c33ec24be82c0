"""What ``find``, ``count`` and the lists take as keywords, and the filter that they stand for."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from tickerq_celery.enums import (
    HoldReasonLike,
    OriginLike,
    TickerKindLike,
    TickerPriorityLike,
    TickerStatusLike,
    TickerTypeLike,
)
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.criteria import CRITERIA, RunFilter
from tickerq_celery.tickers.keywords import refuse_unknown


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
