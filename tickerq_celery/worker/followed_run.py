"""The followed execution of a Celery task's run: what the request of its task holds while its body runs."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tickerq_celery.tickers.claims import Started, TaskExecution

_ATTRIBUTE = "tickerq_followed_run"


@dataclass(slots=True, kw_only=True)
class FollowedRun:
    """One execution that this worker follows, as its message says.

    ``started`` is the run as the recorded start of this execution left it: None until the store has taken
    that, and where it refused it.
    """

    execution: TaskExecution
    started: Started | None = None

    @property
    def id(self) -> UUID:
        """The id of the run."""
        return self.execution.id


def keep(request: Any, run: FollowedRun) -> None:
    """Let a task's request hold its followed execution."""
    setattr(request, _ATTRIBUTE, run)


def kept(request: Any) -> FollowedRun | None:
    """Return the followed execution of a task's request, or None where it is not followed."""
    found: FollowedRun | None = getattr(request, _ATTRIBUTE, None)
    return found
