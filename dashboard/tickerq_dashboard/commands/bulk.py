"""Do one thing to many runs: those that were ticked in a list, or all that the list's filter meets."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from tickerq_dashboard.commands.command import LONGEST_REASON, Once

# A page of a list has no more; a filter is as long as an address.
MOST_TICKED, LONGEST_FILTER, LONGEST_TYPED = 200, 4_000, 20


class Selection(Once):
    """Which runs are meant of a list as it was at ``as_of``; ``filter`` is the list's, as in its address.

    Of those that were ticked ``records`` are the ones that stand for missed instants.
    """

    action: Literal["retry", "cancel", "delete"]
    listing: Literal["active", "upcoming", "history"]
    ids: Annotated[tuple[UUID, ...], Field(max_length=MOST_TICKED)] = ()
    records: Annotated[tuple[UUID, ...], Field(max_length=MOST_TICKED)] = ()
    all: bool = False
    as_of: AwareDatetime
    filter: Annotated[str, Field(max_length=LONGEST_FILTER)] = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was selected."""
        return not self.ids and not self.records and not self.all

    @property
    def left_out(self) -> int:
        """How many of those that were ticked are left out: a record has no instant of its own to retry."""
        return 0 if self.all or self.action != "retry" else len(set(self.records))

    @property
    def ticked(self) -> tuple[UUID, ...]:
        """Those that were ticked and are meant."""
        return self.ids if self.left_out else (*self.ids, *self.records)


class StartBulk(Selection):
    """The same once more, with how many runs the page before said, the number as it was typed, and why."""

    shown: Annotated[int, Field(ge=0)]
    typed: Annotated[str, Field(max_length=LONGEST_TYPED)] = ""
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] | None = None


class StopBulk(Once):
    """A job that is to end before it has done all, and why."""

    reason: Annotated[str, Field(max_length=LONGEST_REASON)] | None = None
