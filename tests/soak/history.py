"""The whole of what one soak left behind, and ways to look things up in it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from uuid import UUID

from tests.soak.traces import (
    Added,
    AttemptRow,
    Blow,
    Calm,
    CronSpan,
    Ended,
    Occurrence,
    RunRow,
    SkipRecord,
    Started,
)
from tickerq_celery.enums import RunCondition
from tickerq_celery.tickers.tallies import Tally, TallyKey


@dataclass(frozen=True, kw_only=True)
class History:
    """All of it; ``limits`` maps a function to how many of its bodies may run at once.

    ``key_limits`` does so for those of one concurrency key.

    ``refused_finishes`` counts the ends that the store did not take, since their claims were superseded.
    """

    added: tuple[Added, ...] = ()
    started: tuple[Started, ...] = ()
    ended: tuple[Ended, ...] = ()
    runs: tuple[RunRow, ...] = ()
    attempts: tuple[AttemptRow, ...] = ()
    crons: tuple[CronSpan, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    skips: tuple[SkipRecord, ...] = ()
    blows: tuple[Blow, ...] = ()
    calm: Calm | None = None
    refused_finishes: int = 0
    # What the roll-up says of the store's ends, and what it must say.
    rolled_up: Mapping[TallyKey, Tally] = field(default_factory=dict)
    recounted: Mapping[TallyKey, Tally] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    key_limits: Mapping[str, int] = field(default_factory=dict)

    def must_wait(self, function: str) -> bool:
        """Whether a run of a function may be stalled while it waits for a slot."""
        return function in self.limits or function in self.key_limits

    @cached_property
    def run_of(self) -> Mapping[UUID, RunRow]:
        """The runs by their id."""
        return {run.id: run for run in self.runs}

    @cached_property
    def added_of(self) -> Mapping[int, Added]:
        """What was added, by serial."""
        return {each.serial: each for each in self.added}

    @cached_property
    def due_of(self) -> Mapping[UUID, datetime]:
        """The moment from which on each run that was added or fired may start."""
        fired = {each.run_id: each.instant for each in self.occurrences}
        added = {
            run.id: self.added_of[run.serial].due
            for run in self.runs
            if run.serial is not None and run.serial in self.added_of and run.parent_id is None
        }
        return fired | added | self._freed

    @cached_property
    def _freed(self) -> Mapping[UUID, datetime]:
        """The moment at which each child may start: its parent's end, or its first start."""
        found = {}
        for run in self.runs:
            attempts = () if run.parent_id is None else self.attempts_of.get(run.parent_id, ())
            if attempts and run.serial in self.added_of:
                begins_beside = self.added_of[run.serial].condition is RunCondition.IN_PROGRESS
                found[run.id] = attempts[0].started_at if begins_beside else attempts[-1].ended_at
        return found

    @cached_property
    def attempts_of(self) -> Mapping[UUID, tuple[AttemptRow, ...]]:
        """The attempts of each run, by claim number."""
        found: dict[UUID, list[AttemptRow]] = defaultdict(list)
        for attempt in sorted(self.attempts, key=lambda each: each.claim_no):
            found[attempt.ticker_id].append(attempt)
        return {run_id: tuple(attempts) for run_id, attempts in found.items()}

    @cached_property
    def starts_of(self) -> Mapping[UUID, tuple[Started, ...]]:
        """The starts of each run, by claim number."""
        found: dict[UUID, list[Started]] = defaultdict(list)
        for start in sorted(self.started, key=lambda each: each.claim_no):
            found[start.ticker_id].append(start)
        return {run_id: tuple(starts) for run_id, starts in found.items()}

    @cached_property
    def ends_of(self) -> Mapping[tuple[UUID, int], tuple[Ended, ...]]:
        """The ends of each claim's body."""
        found: dict[tuple[UUID, int], list[Ended]] = defaultdict(list)
        for end in self.ended:
            found[end.ticker_id, end.claim_no].append(end)
        return {claim: tuple(ends) for claim, ends in found.items()}

    @cached_property
    def attempt_of(self) -> Mapping[tuple[UUID, int], AttemptRow]:
        """The attempt of each claim that has one."""
        return {(each.ticker_id, each.claim_no): each for each in self.attempts}
