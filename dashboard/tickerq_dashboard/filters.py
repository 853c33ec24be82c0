"""What an address asks of a list, checked before the store sees it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from tickerq_celery.enums import Origin
from tickerq_dashboard import filter_values as values
from tickerq_dashboard.filter_values import PUBLISHED_SLUG, TYPE_SLUGS
from tickerq_dashboard.show.durations import exact
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.statuses import LOOKS, PUBLISHED, SLUGS
from tickerq_dashboard.show.words import made_by

MAX_TEXT_LENGTH = 200
MAX_CURSOR_LENGTH = 2_100
# As many functions as the core takes in one filter.
MOST_ROUTED = 50
LONGEST = timedelta(days=36_500)
# The fields into which moments are typed, and the filters that they become.
TYPED_MOMENTS = {"from_text": "since", "until_text": "until"}


Text = Annotated[str, Field(max_length=MAX_TEXT_LENGTH), AfterValidator(values.without_nul)]


class Chip(NamedTuple):
    """A filter that is set: what it is, its value in words, and the address without it."""

    name: str
    value: str
    rest: Mapping[str, object]


class ListQuery(BaseModel):
    """Where a list goes on: the cursor of another page, or None for the first page."""

    model_config = ConfigDict(frozen=True)

    cursor: Annotated[str, Field(max_length=MAX_CURSOR_LENGTH)] | None = None

    @property
    def words(self) -> dict[str, object]:
        """The filters that are set, as they stand in an address."""
        given = self.model_dump(exclude={"cursor"}, exclude_defaults=True)
        return {name: written(value) for name, value in given.items()}

    def chips(self, clock: Clock) -> Iterator[Chip]:
        """Yield the filters that are set, moments in the reader's zone."""
        for name in self.words:
            field = type(self).model_fields[name]
            yield Chip(field.title or name.replace("_", " "), self._said(name, clock), self._without(name))

    def _without(self, name: str) -> dict[str, object]:
        """Return the words of an address without one filter."""
        return {other: value for other, value in self.words.items() if other != name}

    def _said(self, name: str, clock: Clock) -> str:
        value = getattr(self, name)
        return clock.single(value) if isinstance(value, datetime) else str(value)


class TypedQuery(ListQuery):
    """A list with fields into which moments are typed: it is shown once they have become filters."""

    from_text: Text = ""
    until_text: Text = ""

    @property
    def words(self) -> dict[str, object]:
        """The filters that are set, as they stand in an address."""
        return {name: value for name, value in super().words.items() if name not in {"q", *TYPED_MOMENTS}}

    @property
    def is_typed(self) -> bool:
        """Whether something has been typed that is to become filters."""
        return any(getattr(self, name) for name in TYPED_MOMENTS)


class RunFilters(ListQuery):
    """Which runs are meant, as the words of an address."""

    status: Annotated[tuple[str, ...], AfterValidator(values.statuses)] = ()
    function: Text = ""
    prefix: Annotated[Text, Field(title="function begins")] = ""
    type: Annotated[str, AfterValidator(values.type_slug)] = ""
    queue: Text = ""
    routed: Annotated[
        tuple[Text, ...],
        BeforeValidator(values.each_once),
        Field(max_length=MOST_ROUTED, title="or routed there"),
    ] = ()
    tag: Text = ""
    node: Text = ""
    error_type: Annotated[Text, Field(title="error")] = ""
    error: Annotated[Text, Field(title="error or reason has")] = ""
    held: Annotated[str, AfterValidator(values.reason_of_hold), Field(title="held for")] = ""
    origin: Annotated[str, AfterValidator(values.origin), Field(title="made by")] = ""
    unique_key: Text = ""
    key: Annotated[Text, Field(title="concurrency key")] = ""
    attempts: Annotated[int, Field(ge=1, le=1_000_000, title="attempts at least")] | None = None
    longer: Annotated[
        timedelta | None,
        BeforeValidator(values.span),
        Field(ge=timedelta(0), le=LONGEST, title="ran longer than"),
    ] = None
    late: bool = False
    due: bool = Field(default=False, title="due")
    cron: UUID | None = Field(default=None, title="cron ticker")
    chain: UUID | None = None
    since: AwareDatetime | None = Field(default=None, title="ended since")
    until: AwareDatetime | None = Field(default=None, title="ended before")

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
        statuses = [SLUGS[slug] for slug in self.status if slug in SLUGS]
        given: dict[str, Any] = {
            "status": statuses or None,
            "is_published": self.status == (PUBLISHED_SLUG,) if self.status else None,
            "function": self.function or None,
            "function_prefix": self.prefix or None,
            "type": TYPE_SLUGS.get(self.type),
            "queue": self.queue or None,
            "routed": self.routed if self.queue and self.routed else None,
            "tag": self.tag or None,
            "node": self.node or None,
            "error_type": self.error_type or None,
            "error": self.error or None,
            "held_for": self.held or None,
            "origin": self.origin or None,
            "unique_key": self.unique_key or None,
            "concurrency_key": self.key or None,
            "min_attempts": self.attempts,
            "min_elapsed": self.longer,
            "is_late": True if self.late else None,
            "cron_ticker_id": self.cron,
            "root_id": self.chain,
            "ended_from": self.since,
            "ended_until": self.until,
            # To the minute, so that two readers within it share one answer.
            "due_until": datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
            if self.due
            else None,
        }
        return {name: value for name, value in given.items() if value is not None}

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
        if name in {"late", "due"}:
            return {"late": "only late", "due": "now"}[name]
        if isinstance(value, timedelta):
            return exact(value)
        return super()._said(name, clock)


class RunsQuery(RunFilters, TypedQuery):
    """Which runs are shown; ``q`` is what stands in the search box."""

    q: Text = ""

    @property
    def is_typed(self) -> bool:
        """Whether something has been typed that is to become filters."""
        return bool(self.q) or super().is_typed


class CronsQuery(ListQuery):
    """Which cron tickers are shown, and in which order."""

    prefix: Annotated[Text, Field(title="function begins")] = ""
    tag: Text = ""
    state: Annotated[str, Field(pattern="^(enabled|paused|failing)?$")] = ""
    source: Annotated[str, Field(pattern="^(code|created)?$")] = ""
    order: Annotated[str, Field(pattern="^(name)?$", title="sorted by")] = ""

    @property
    def criteria(self) -> dict[str, Any]:
        """What the store is asked for, as keywords of the lists of cron tickers."""
        given: dict[str, Any] = {"function_prefix": self.prefix or None, "tag": self.tag or None}
        if self.state == "failing":
            given["is_failing"] = True
        elif self.state:
            given["is_enabled"] = self.state == "enabled"
        if self.source:
            given["is_seeded"] = self.source == "code"
        return {name: value for name, value in given.items() if value is not None}


class OverviewQuery(BaseModel):
    """Which window the figures are of."""

    model_config = ConfigDict(frozen=True)

    window: Annotated[str, Field(pattern="^(24h|7d|30d)$")] = "24h"


class FunctionsQuery(ListQuery):
    """Which functions are shown."""

    prefix: Annotated[Text, Field(title="name begins")] = ""


class ScopeQuery(BaseModel):
    """What is to be paused or resumed: a function or a tag by its name, or everything."""

    model_config = ConfigDict(frozen=True)

    kind: Annotated[str, Field(pattern="^(function|tag|everything)$")] = "everything"
    name: Text = ""

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        if bool(self.name) == (self.kind == "everything"):
            raise ValueError("a function and a tag have a name, everything has none")
        return self


class FindQuery(BaseModel):
    """What was typed into "Find"."""

    model_config = ConfigDict(frozen=True)

    q: Text = ""


class FormQuery(BaseModel):
    """With which function the form of something new begins."""

    model_config = ConfigDict(frozen=True)

    function: Text = ""


def written(value: object) -> object:
    """Return a filter's value as it stands in an address."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return "1"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)
