"""What an address asks of a list, checked before the store sees it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from tickerq_celery.limits import LONGEST_SEARCH
from tickerq_dashboard import filter_values as values
from tickerq_dashboard.show.moments import Clock

MAX_CURSOR_LENGTH = 2_100
# The fields into which moments are typed, and the filters that they become.
TYPED_MOMENTS = {"from_text": "since", "until_text": "until"}

Text = Annotated[str, Field(max_length=LONGEST_SEARCH), AfterValidator(values.without_nul)]


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

    # Which filters they become.
    moments: ClassVar[Mapping[str, str]] = TYPED_MOMENTS

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
    """Which window the figures of all functions are of."""

    model_config = ConfigDict(frozen=True)

    window: Annotated[str, Field(pattern="^(1h|24h|7d|30d)$")] = "24h"


class FiguresQuery(BaseModel):
    """Which window the figures of a function are of."""

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
            raise ValueError("a function and a tag need a name, everything takes none")
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
        return str(int(value))
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)
