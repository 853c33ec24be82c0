"""A chain as a whole: its runs, each after its parent, with what each of them waits for."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from tickerq_celery.enums import HoldReason, RunCondition, TickerStatus
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.chains import MOST_NODES, starting_statuses
from tickerq_celery.tickers.summaries import RunSummary

_CHAIN = "chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRun:
    """A run of a chain, ``depth`` levels below the head, which is at 0.

    ``run_condition`` is that of a child; None stands for any end of its parent. ``waits_for`` says in words
    what a run that is Idle waits for; it is None for all others.
    """

    run: RunSummary
    depth: int
    run_condition: RunCondition | None
    waits_for: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTree:
    """The chain that a run belongs to, as it was read at one moment; a run without one is alone in its own.

    ``root_id`` is the head's id. ``runs`` come level by level from the head, each after its parent and of one
    level the oldest first. ``truncated`` says that there are more runs than were asked for.
    """

    root_id: UUID
    runs: tuple[ChainRun, ...]
    truncated: bool

    @property
    def head(self) -> ChainRun:
        """The run at the top."""
        return self.runs[0]

    @property
    def version(self) -> str:
        """Which version of all these runs this is, for ``expected=``; every change of one changes it."""
        return version_of([each.run for each in self.runs])

    def children_of(self, run_id: UUID | None) -> tuple[ChainRun, ...]:
        """Return the runs directly below a run of this tree; None is above the head."""
        if run_id is None:
            return self.runs[:1]
        return tuple(each for each in self.runs[1:] if each.run.parent_id == run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainChange:
    """What a verb did to a chain: the ``ids`` of the runs that it changed, and the ``tree`` as it left it."""

    tree: ChainTree
    ids: tuple[UUID, ...]

    @property
    def runs(self) -> tuple[ChainRun, ...]:
        """The runs that were changed and are there, as the verb left them."""
        changed = set(self.ids)
        return tuple(each for each in self.tree.runs if each.run.id in changed)


def version_of(runs: Sequence[RunSummary]) -> str:
    """Return the version of runs in their order, which says how many they are."""
    texts = "|".join(f"{run.id}:{run.version}" for run in runs)
    return f"{_CHAIN}.{len(runs)}.{hashlib.sha256(texts.encode()).hexdigest()[:32]}"


def size_in(version: str) -> int:
    """Return how many runs a version is of.

    Raises:
        TickerValidationError: It is no version of a chain.
    """
    kind, _, rest = version.partition(".")
    number = rest.partition(".")[0]
    if kind != _CHAIN or not number.isdecimal() or not 1 <= int(number) <= MOST_NODES:
        raise TickerValidationError("expected", version, "pass a ChainTree, or its version")
    return int(number)


def waits_for(run: RunSummary, condition: RunCondition | None, parent: RunSummary | None) -> str | None:
    """Return in words what an Idle run waits for, or None of one that is not Idle."""
    if run.status is not TickerStatus.IDLE:
        return None
    if run.held_for is HoldReason.PARENT:
        above = "its parent" if parent is None else f"{parent.function} ({parent.id})"
        at = run.execution_time
        moment = "" if at is None else f", not before {at.isoformat(timespec='seconds')}"
        return f"waits for {above} {_until(condition)}{moment}"
    if run.held_for is not None:
        key = "" if run.hold_key is None else f": {run.hold_key}"
        return f"held for {run.held_for.value}{key}"
    due = run.next_attempt_at
    return None if due is None else f"due at {due.isoformat(timespec='seconds')}"


def _until(condition: RunCondition | None) -> str:
    if condition is RunCondition.IN_PROGRESS:
        return "to start"
    *others, last = (str(each) for each in starting_statuses(condition))
    return f"to end as {' or '.join([', '.join(others), last] if others else [last])}"
