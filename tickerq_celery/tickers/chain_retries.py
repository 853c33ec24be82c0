"""Which runs of a chain start again when its failures are retried: at once, or after their parents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from tickerq_celery.enums import SUCCEEDED, TERMINAL, RunCondition, TickerStatus
from tickerq_celery.tickers.chains import is_met


class ChainMember(Protocol):
    """What must be known of a run of a chain."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def parent_id(self) -> UUID | None:
        """Its parent, or None of the head."""

    @property
    def status(self) -> TickerStatus:
        """Where it stands."""

    @property
    def run_condition(self) -> RunCondition | None:
        """Which status of its parent lets it start; None is any end."""

    @property
    def is_unmet(self) -> bool:
        """Whether it was skipped as its parent did not meet its condition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlan:
    """Runs that start again ``at_once``, and those that are ``waiting``, by the parents they wait for."""

    at_once: Sequence[UUID]
    waiting: dict[UUID, list[UUID]]

    @property
    def ids(self) -> list[UUID]:
        """All of them."""
        return [*self.at_once, *(each for children in self.waiting.values() for each in children)]


def retry_plan(members: Sequence[ChainMember]) -> RetryPlan:
    """Return what a retry of the failures of a chain means for its runs, which come parents first.

    A failed run starts again, and so does one that was skipped for its condition, where its parent does or
    may still meet that. Where the parent starts again or has not ended, it waits for that one.
    """
    # Of each run the status that its children can count on: None where it is still to come.
    comes_to: dict[UUID, TickerStatus | None] = {}
    at_once: list[UUID] = []
    waiting: dict[UUID, list[UUID]] = {}
    for member in members:
        comes_to[member.id] = member.status if member.status in TERMINAL else None
        if member.status is not TickerStatus.FAILED and not member.is_unmet:
            continue
        if member.parent_id is None:
            at_once.append(member.id)
        elif comes_to[member.parent_id] is None:
            waiting.setdefault(member.parent_id, []).append(member.id)
        elif _may_start(member, comes_to[member.parent_id]):
            at_once.append(member.id)
        else:
            continue
        comes_to[member.id] = None
    return RetryPlan(at_once=at_once, waiting=waiting)


def _may_start(member: ChainMember, parent: TickerStatus | None) -> bool:
    """Return True if a parent that has ended has met the condition of a child that is to start again."""
    if parent is None:
        return False
    if member.run_condition is RunCondition.IN_PROGRESS:
        # One that failed was started beside its parent; one that was skipped had a parent that did not start.
        return member.status is TickerStatus.FAILED or parent in SUCCEEDED
    return is_met(member.run_condition, parent)
