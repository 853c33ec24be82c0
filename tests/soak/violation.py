"""A broken rule."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Rule(StrEnum):
    """What a history must keep, in the words of the promise."""

    COMMITTED_IS_TERMINAL = "every committed ticker is terminal"
    NOTHING_IS_ACTIVE = "no row is left Queued or InProgress"
    ROLLED_BACK_IS_NOTHING = "a rolled back ticker has no row and never ran"
    ROW_WAS_ADDED = "each row was added once"
    ONE_START = "at most one start per claim"
    STARTS_ARE_SEPARATED = "two starts are separated by a recorded retry or rescue"
    NO_STALE_FINISH = "no accepted finish from a stale claim"
    TIMES_AGREE = "bodies begin and end between what the store says of it"
    ATTEMPTS_IN_ORDER = "attempts follow each other, none after the end"
    END_IS_THE_LAST_ATTEMPTS = "a run ends as its last attempt did"
    COUNTS_ARE_TRUE = "retries and rescues are counted"
    RETRIES_OBEY_THE_PLAN = "retries obey the plan"
    CHILDREN_FOLLOW = "children follow their parents: each runs, or is skipped, as its condition says"
    ONE_OCCURRENCE = "one occurrence per cron instant, or a recorded reason why not"
    LIMIT_IS_KEPT = "no more bodies at once than max_concurrency"
    ENDS_ARE_COUNTED_ONCE = "the roll-up says what a recount of the rows says"
    RECOVERY_IS_BOUNDED = "once the faults have ended, no run is stalled for longer than it may"
    BEATS_END_IN_TIME = "a beat ends within 10 s of SIGTERM"
    PROCESSES_ENDURE = "a process ends only when it is asked to"


# Of these, the first say that something was lost, and the second that something was done twice.
LOSSES = frozenset({Rule.COMMITTED_IS_TERMINAL, Rule.NOTHING_IS_ACTIVE})
DOUBLES = frozenset({Rule.ONE_START, Rule.STARTS_ARE_SEPARATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What broke which rule; ``subject`` is a ticker or cron ticker, None where there is no single one."""

    rule: Rule
    subject: UUID | None
    evidence: str
