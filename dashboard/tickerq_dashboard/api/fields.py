"""How values of the core are written as JSON: statuses as words, durations in seconds, moments in UTC."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from math import isfinite
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from tickerq_celery import TickerStatus, TickerType
from tickerq_dashboard.show.statuses import LOOKS

AnswerT = TypeVar("AnswerT", bound="Answer")
# What every reader of JSON keeps as it is: JavaScript's numbers are doubles.
_MOST_EXACT = 2**53 - 1


def _status(value: object) -> object:
    return LOOKS[value].css if isinstance(value, TickerStatus) else value


def _type(value: object) -> object:
    return {TickerType.TIME_TICKER: "time", TickerType.CRON_TICKER_OCCURRENCE: "cron"}.get(value, value)  # type: ignore[call-overload]  # any other value is left


def _word(value: object) -> object:
    """Return an enumeration's word: its value, or its name where that is a number."""
    if not isinstance(value, Enum):
        return value
    return value.value if isinstance(value.value, str) else value.name.lower()


def _seconds(value: object) -> object:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _utc(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def exact(value: Any) -> Any:
    """Return JSON in which no reader changes a number: those it could not hold become text."""
    if isinstance(value, Mapping):
        return {str(key): exact(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [exact(each) for each in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    is_kept = abs(value) <= _MOST_EXACT if isinstance(value, int) else isfinite(value)
    return value if is_kept else str(value)


Status = Annotated[
    Literal["idle", "queued", "in-progress", "done", "due-done", "failed", "cancelled", "skipped"],
    BeforeValidator(_status),
]
RunType = Annotated[Literal["time", "cron"], BeforeValidator(_type)]
Word = Annotated[str, BeforeValidator(_word)]
Seconds = Annotated[float, BeforeValidator(_seconds), Field(description="in seconds")]
Moment = Annotated[AwareDatetime, BeforeValidator(_utc)]
# A text within may hold what UTF-8 cannot, so pydantic does not look into it.
Json = Annotated[Any, BeforeValidator(exact)]


class Answer(BaseModel):
    """What is returned as JSON, read from the attributes of a value of the core."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ListAnswer(Answer):
    """Part of a list; ``next`` and ``previous`` are given as ``cursor`` to get what follows, or precedes.

    ``looked_back_to`` is set where the page ended before it was full, as too few of the rows that were looked
    at meet the filters: it is the moment of the last of those, ``looked_at`` is how many they were, and
    ``next`` goes on from there.
    """

    next: str | None = None
    previous: str | None = None
    looked_back_to: Moment | None = None
    looked_at: int | None = None


def all_of(model: type[AnswerT], values: Iterable[object]) -> tuple[AnswerT, ...]:
    """Return values of the core as answers."""
    return tuple(model.model_validate(each) for each in values)
