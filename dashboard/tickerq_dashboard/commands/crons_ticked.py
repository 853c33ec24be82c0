"""Do one thing to cron tickers that were ticked in their list."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from tickerq_dashboard.commands.bulk import LONGEST_FILTER, MOST_TICKED
from tickerq_dashboard.commands.command import LONGEST_REASON, LONGEST_VERSION, Once

Version = Annotated[str, Field(max_length=LONGEST_VERSION)]


class TickedCrons(Once):
    """Which cron tickers were ticked, and what is meant to be done; ``filter`` is the list's."""

    action: Literal["pause", "resume", "run_now", "delete"]
    ids: Annotated[tuple[UUID, ...], Field(max_length=MOST_TICKED)] = ()
    filter: Annotated[str, Field(max_length=LONGEST_FILTER)] = ""


class ActOnCrons(TickedCrons):
    """The same once more, with the version in which each was seen, and why."""

    expected: Annotated[tuple[Version, ...], Field(max_length=MOST_TICKED)] = ()
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] | None = None
    missed: bool = False

    @model_validator(mode="after")
    def _check_versions(self) -> Self:
        if len(self.expected) != len(self.ids):
            raise ValueError("each of the ids has the version that was seen")
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """What the core's verb is given besides the ids."""
        missed = {"missed": self.missed} if self.action == "resume" else {}
        expected = dict(zip(self.ids, self.expected, strict=True))
        return {"expected": expected, "reason": self.reason, **missed}
