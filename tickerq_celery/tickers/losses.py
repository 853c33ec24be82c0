"""When a published message counts as lost: by evidence, and never for waiting long.

A worker drops the second message of a function's run, so evidence that is nearly sure will do. Nobody drops
that of a Celery task: its message must be nowhere.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFlow:
    """The messages of one function, or Celery task, in one queue; None is where the router sends them."""

    name: str
    queue: str | None
    is_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueWorker:
    """A live worker as its last heartbeat, at ``seen_at``, described it.

    ``queues`` are those that it consumes, none where it does not say which; ``idle_since`` is None where it
    has a message. One that is stopping takes no more, and may have some.
    """

    queues: Collection[str]
    idle_since: datetime | None
    seen_at: datetime
    takes_runs: bool = True

    def consumes(self, queue: str) -> bool:
        """Return True if it has, or had until it began to stop, messages of a queue."""
        return not self.queues or queue in self.queues


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSizes:
    """How many messages were in queues ``at`` a moment; None where the broker does not say."""

    at: datetime = _LONG_AGO
    of: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of flows: which messages were lost, if published before a moment, and which wait."""

    lost: Mapping[MessageFlow, datetime] = field(default_factory=dict)
    waiting: Collection[MessageFlow] = frozenset()


class Fate(StrEnum):
    """What a sweep makes of a message whose check has come."""

    LOST = "lost"
    # It is published again all the same: a second message of a function's run is dropped.
    UNKNOWN = "unknown"
    WAITS = "waits"
    # A call of which no worker has reported anything.
    ENDS = "ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A message whose check has come; one that ``may_be_repeated`` can count as lost."""

    flow: MessageFlow
    published_at: datetime | None
    may_be_repeated: bool
    has_children: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The fate of a message; of one that waits, when its next check is, None for never."""

    fate: Fate
    again_at: datetime | None = None


def evidence_of(
    queues: Mapping[MessageFlow, str | None],
    workers: Collection[QueueWorker],
    *,
    sizes: QueueSizes,
    before: QueueSizes,
    lease: timedelta,
) -> Evidence:
    """Return what is known of flows, given the queue of each, the workers, and the sizes now and before.

    None is a queue that is not known.
    """
    lost: dict[MessageFlow, datetime] = {}
    waiting: set[MessageFlow] = set()
    for flow, queue in queues.items():
        if queue is None:
            continue
        own = [worker for worker in workers if worker.consumes(queue)]
        if flow.is_call and _is_nowhere(queue, before, own, workers):
            lost[flow] = before.at
        elif not flow.is_call and _seems_lost(sizes.of.get(queue), own, sizes.at - lease):
            lost[flow] = sizes.at
        elif sizes.of.get(queue) or (flow.is_call and any(worker.idle_since is None for worker in own)):
            waiting.add(flow)
    return Evidence(lost=lost, waiting=frozenset(waiting))


def judged(
    message: Checked, evidence: Evidence, *, now: datetime, check_after: timedelta, longest: timedelta
) -> Judgement:
    """Return what becomes of a message whose check has come.

    One that waits is looked at again after the ``longest`` time. A call of which nothing is known ends
    ``check_after`` its publication; never with children, which wait for a report.
    """
    published_at, flow = message.published_at, message.flow
    if published_at is None:
        return Judgement(fate=Fate.UNKNOWN)
    if message.may_be_repeated and published_at < evidence.lost.get(flow, _LONG_AGO):
        return Judgement(fate=Fate.LOST)
    if flow.is_call and message.has_children:
        return Judgement(fate=Fate.WAITS)
    if message.may_be_repeated and flow in evidence.waiting and now - published_at < longest:
        return Judgement(fate=Fate.WAITS, again_at=published_at + longest)
    if not flow.is_call:
        return Judgement(fate=Fate.UNKNOWN)
    if now - published_at < check_after:
        return Judgement(fate=Fate.WAITS, again_at=published_at + check_after)
    return Judgement(fate=Fate.ENDS)


def _seems_lost(size: int | None, own: Collection[QueueWorker], idle_until: datetime) -> bool:
    """Return True if a worker of the queue would have taken it, or if nobody has any of its messages."""
    idle = [worker.idle_since for worker in own]
    would_have = [worker.idle_since for worker in own if worker.takes_runs]
    return any(since is not None and since <= idle_until for since in would_have) or (
        size == 0 and None not in idle
    )


def _is_nowhere(
    queue: str, before: QueueSizes, own: Collection[QueueWorker], workers: Collection[QueueWorker]
) -> bool:
    """Return True if the queue was empty, and after that each worker said that it has no message at all.

    Workers that the store does not know may take calls: one of the queue's must be known.
    """
    has_taker = any(worker.takes_runs for worker in own)
    have_none = all(worker.idle_since is not None and worker.seen_at > before.at for worker in workers)
    return has_taker and before.of.get(queue) == 0 and have_none
