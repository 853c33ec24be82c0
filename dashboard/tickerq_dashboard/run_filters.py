"""The criteria of runs as an address and the search box have them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from tickerq_celery import TickerPriority
from tickerq_celery.enums import HoldReason, Origin, TickerKind
from tickerq_celery.limits import (
    LONGEST_CONCURRENCY_KEY,
    LONGEST_ERROR_TYPE,
    LONGEST_HOLD_KEY,
    LONGEST_TASK_ID,
    MOST_ATTEMPTS,
    MOST_FUNCTIONS,
)
from tickerq_dashboard import filter_values as values
from tickerq_dashboard.filter_values import PUBLISHED_SLUG, TYPE_SLUGS
from tickerq_dashboard.filters import ListQuery, Text, TypedQuery
from tickerq_dashboard.show.durations import exact
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.statuses import LOOKS, PUBLISHED, SLUGS
from tickerq_dashboard.show.words import made_by

Name = Annotated[str, AfterValidator(values.without_nul)]
LONGEST = timedelta(days=36_500)
PRIORITIES = tuple(each.name.lower() for each in TickerPriority)
_MOMENTS = "2h ago, 14:30, 2026-11-24 14:30"


class RunFilters(ListQuery):
    """Which runs are meant, as the words of an address: the criteria of the core, and what is ``due``.

    The title of one is what its chip says, its description what the search box takes for it.
    """

    status: Annotated[
        tuple[str, ...],
        AfterValidator(values.statuses),
        Field(description=f"one or more, with commas: {', '.join((*SLUGS, PUBLISHED_SLUG))}"),
    ] = ()
    function: Annotated[Text, Field(description="the name of a function, or how it begins")] = ""
    function_prefix: Annotated[
        Text, Field(title="function begins", description="how the name of a function begins")
    ] = ""
    kind: Annotated[
        str,
        AfterValidator(values.one_of(TickerKind)),
        Field(description=f"one of {', '.join(TickerKind)}"),
    ] = ""
    type: Annotated[
        str,
        AfterValidator(values.one_of(TYPE_SLUGS)),
        Field(description=f"one of {', '.join(TYPE_SLUGS)}"),
    ] = ""
    task_id: Annotated[
        Name,
        Field(max_length=LONGEST_TASK_ID, title="task id", description="the id of a Celery task's messages"),
    ] = ""
    queue: Annotated[Text, Field(description="a queue")] = ""
    routed: Annotated[
        tuple[Text, ...],
        BeforeValidator(values.each_once),
        Field(
            max_length=MOST_FUNCTIONS,
            title="or routed there",
            description="with a queue: a function without one of its own that is sent there",
        ),
    ] = ()
    priority: Annotated[
        str,
        AfterValidator(values.one_of(PRIORITIES)),
        Field(description=f"one of {', '.join(PRIORITIES)}"),
    ] = ""
    tag: Annotated[Text, Field(description="a tag")] = ""
    node: Annotated[Text, Field(description="the node that runs it, or ran it last")] = ""
    error_type: Annotated[
        Name, Field(max_length=LONGEST_ERROR_TYPE, title="error", description="the name of an exception")
    ] = ""
    error: Annotated[
        Text,
        Field(
            title="error or reason has",
            description="words of the error's message, or of why it was skipped",
        ),
    ] = ""
    held_for: Annotated[
        str,
        AfterValidator(values.one_of(HoldReason)),
        Field(description=f"why it waits: {', '.join(HoldReason)}"),
    ] = ""
    hold_key: Annotated[
        Name,
        Field(max_length=LONGEST_HOLD_KEY, title="held under", description="what holds it, such as tag:eu"),
    ] = ""
    origin: Annotated[
        str,
        AfterValidator(values.one_of(Origin)),
        Field(title="made by", description=f"what made it: {', '.join(Origin)}"),
    ] = ""
    unique_key: Annotated[Text, Field(description="its unique key")] = ""
    concurrency_key: Annotated[
        Name, Field(max_length=LONGEST_CONCURRENCY_KEY, description="its concurrency key")
    ] = ""
    min_attempts: int | None = Field(
        None,
        ge=1,
        le=MOST_ATTEMPTS,
        title="attempts at least",
        description="how many attempts it had at least",
    )
    min_elapsed: Annotated[
        timedelta | None,
        BeforeValidator(values.span),
        Field(
            ge=timedelta(0),
            le=LONGEST,
            title="ran longer than",
            description="how long its last attempt took at least: 90s, 5min",
        ),
    ] = None
    is_late: bool | None = Field(None, title="late", description="1: claimed late; 0: on time")
    outcome_known: bool | None = Field(
        None, title="outcome", description="1: its status says how it went; 0: it was only published"
    )
    due: bool = Field(False, title="due", description="1: it is due now")
    cron_ticker_id: UUID | None = Field(None, title="cron ticker", description="the id of a cron ticker")
    root_id: UUID | None = Field(None, title="chain", description="the id of the first run of a chain")
    parent_id: UUID | None = Field(None, title="below the run", description="the id of its parent in a chain")
    execution_from: AwareDatetime | None = Field(
        None, title="planned since", description=f"for when it was planned at the earliest: {_MOMENTS}"
    )
    execution_until: AwareDatetime | None = Field(
        None, title="planned before", description="before when it was planned, in the same way"
    )
    due_from: AwareDatetime | None = Field(
        None, title="due since", description="when it may be claimed at the earliest, in the same way"
    )
    due_until: AwareDatetime | None = Field(
        None, title="due before", description="before when it may be claimed, in the same way"
    )
    ended_from: AwareDatetime | None = Field(
        None, title="ended since", description="when it ended at the earliest, in the same way"
    )
    ended_until: AwareDatetime | None = Field(
        None, title="ended before", description="before when it ended, in the same way"
    )

    @property
    def words(self) -> dict[str, object]:
        """The filters that are set, as they stand in an address."""
        words = super().words
        if not self.queue:
            # It widens a queue, and alone means nothing.
            words.pop("routed", None)
        elif self.routed:
            # Names may have commas: they stand in an address one by one.
            words["routed"] = list(self.routed)
        return words

    @property
    def criteria(self) -> dict[str, Any]:
        """What the store is asked for, as keywords of the lists of runs."""
        names = RunFilters.model_fields.keys() - ListQuery.model_fields.keys() - {"due"}
        given: dict[str, Any] = {name: getattr(self, name) for name in names}
        given["status"] = [SLUGS[slug] for slug in self.status if slug in SLUGS]
        given["is_published"] = self.status == (PUBLISHED_SLUG,) if self.status else None
        given["type"] = TYPE_SLUGS.get(self.type)
        if not self.queue:
            del given["routed"]
        if self.due:
            # To the minute, so that two readers within it share one answer.
            soon = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
            given["due_until"] = min(soon, self.due_until or soon)
        return {name: value for name, value in given.items() if value not in (None, "", (), [])}

    def _without(self, name: str) -> dict[str, object]:
        rest = super()._without(name)
        return {other: rest[other] for other in rest if (name, other) != ("queue", "routed")}

    def _said(self, name: str, clock: Clock) -> str:
        value = getattr(self, name)
        if name == "status":
            return ", ".join(
                PUBLISHED.word if slug == PUBLISHED_SLUG else LOOKS[SLUGS[slug]].word for slug in value
            )
        if name == "routed":
            return ", ".join(value)
        if name == "origin":
            return made_by(Origin(value))
        if isinstance(value, bool):
            return "now" if name == "due" else values.YES_OR_NO[name][0 if value else 1]
        if isinstance(value, timedelta):
            return exact(value)
        return super()._said(name, clock)


class RunsQuery(RunFilters, TypedQuery):
    """Which runs are shown; ``q`` is what stands in the search box."""

    moments: ClassVar = {"from_text": "ended_from", "until_text": "ended_until"}

    q: Text = ""

    @property
    def is_typed(self) -> bool:
        """Whether something has been typed that is to become filters."""
        return bool(self.q) or super().is_typed
