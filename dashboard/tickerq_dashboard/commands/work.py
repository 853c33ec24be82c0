"""What a ticker calls and how, as forms and JSON bodies say it."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from tickerq_celery import TimeTicker
from tickerq_celery.limits import (
    LONGEST_CONCURRENCY_KEY,
    LONGEST_DESCRIPTION,
    LONGEST_FUNCTION,
    LONGEST_KEY,
    LONGEST_QUEUE,
    LONGEST_TAG,
    MOST_RETRIES,
    MOST_TAGS,
)

ARGUMENTS = ("args", "kwargs", "options")
PAYLOAD = frozenset({"request", *ARGUMENTS})

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_FUNCTION)]
Queue = Annotated[str, Field(min_length=1, max_length=LONGEST_QUEUE)]
Key = Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]
ConcurrencyKey = Annotated[str, Field(min_length=1, max_length=LONGEST_CONCURRENCY_KEY)]
Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]
Priority = Literal["long_running", "high", "normal", "low"]
Condition = Literal[
    "on_success",
    "on_failure",
    "on_cancelled",
    "on_failure_or_cancelled",
    "on_any_completed_status",
    "in_progress",
]


class Work(BaseModel):
    """A registered function with its request, or a Celery task with its arguments, and their options.

    Durations are seconds, or ISO 8601. What is left out is as the function's own options say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    function: Name | None = None
    task: Name | None = None
    request: JsonValue = None
    args: tuple[JsonValue, ...] = ()
    kwargs: dict[str, JsonValue] = {}
    options: dict[str, JsonValue] = {}
    on_lost: Literal["retry", "fail"] | None = None
    description: Annotated[str, Field(max_length=LONGEST_DESCRIPTION)] | None = None
    retries: Annotated[int, Field(ge=0, le=MOST_RETRIES)] | None = None
    retry_intervals: Annotated[tuple[timedelta, ...], Field(max_length=MOST_RETRIES)] | None = None
    timeout: timedelta | None = None
    hard_timeout: timedelta | None = None
    priority: Priority | None = None
    queue: Queue | None = None
    concurrency_key: ConcurrencyKey | None = None
    tags: Annotated[tuple[Tag, ...], Field(max_length=MOST_TAGS)] = ()

    @property
    def has_payload(self) -> bool:
        """Whether it says what a run is given, its own or that of one below it."""
        below = getattr(self, "children", ())
        return bool(self.model_fields_set & PAYLOAD) or any(each.has_payload for each in below)

    def given(self, *but: str) -> dict[str, Any]:
        """Return the fields of the core's ticker that were said, without some."""
        names = self.model_fields_set - {"operation_id", "expected", "reason", *but}
        found = {name: getattr(self, name) for name in names}
        if "children" in found:
            found["children"] = tuple(child.ticker for child in found["children"])
        return found


class Child(Work):
    """A ticker of a chain, which waits for its parent."""

    run_condition: Condition | None = None
    execution_time: AwareDatetime | None = None
    delay: timedelta | None = None
    unique_key: Key | None = None
    children: tuple["Child", ...] = ()

    @property
    def ticker(self) -> TimeTicker:
        """The same as a value of the core.

        Raises:
            TickerValidationError: It names no function and no task, or both.
        """
        return TimeTicker(**self.given())
