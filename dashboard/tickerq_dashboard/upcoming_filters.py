"""What an address asks of what is to come."""

from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from tickerq_dashboard.filters import MAX_CURSOR_LENGTH, TYPED_MOMENTS, Text, written


class UpcomingFilters(BaseModel):
    """Which span of what is to come is meant: so many hours from now or ``since``, or up to ``until``."""

    model_config = ConfigDict(frozen=True)

    hours: Annotated[int, Field(ge=1, le=168)] = 24
    function: Text = ""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than since")
        return self

    def ends(self, now: datetime) -> datetime:
        """Return when the span ends."""
        return self.until or (self.since or now) + timedelta(hours=self.hours)


class UpcomingQuery(UpcomingFilters):
    """The same, with the fields into which both moments are typed, and which page is shown."""

    cursor: Annotated[str, Field(max_length=MAX_CURSOR_LENGTH)] | None = None
    from_text: Text = ""
    until_text: Text = ""

    @property
    def is_typed(self) -> bool:
        """Whether something has been typed that is to become moments."""
        return bool(self.from_text or self.until_text)

    @property
    def words(self) -> dict[str, object]:
        """What is asked, as it stands in an address."""
        given = self.model_dump(exclude={"cursor", *TYPED_MOMENTS}, exclude_defaults=True)
        return {name: written(value) for name, value in given.items()}
