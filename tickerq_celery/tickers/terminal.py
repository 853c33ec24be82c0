"""The end of a run: what is set the same, whatever ended it."""

from dataclasses import dataclass, fields
from typing import Generic, TypeVar

S = TypeVar("S")
M = TypeVar("M")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal(Generic[S, M, R]):
    """The columns that an end sets: status and time, and that nothing waits for the run or executes it.

    ``S``, ``M`` and ``R`` are a status, a moment and a reason, or SQL for them.
    """

    status: S
    ended_status: S
    ended_at: M
    updated_at: M
    skipped_reason: R
    # Neither due, nor held, nor published.
    due_at: None = None
    not_before: None = None
    held_for: None = None
    hold_key: None = None
    held_since: None = None
    check_at: None = None
    # Nor running, nor in the way of another run of its key or its cron ticker.
    running_on: None = None
    cancel_request: None = None
    alone_for: None = None
    active_key: None = None

    def columns(self) -> dict[str, object]:
        """Return the columns by name, for a statement."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def terminal(status: S, now: M, reason: R) -> Terminal[S, M, R]:
    """Return the end of a run as ``status``; ``reason`` is why it was not executed, or None."""
    return Terminal(status=status, ended_status=status, ended_at=now, updated_at=now, skipped_reason=reason)
