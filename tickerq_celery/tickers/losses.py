"""When a published message counts as lost: by evidence, and never for waiting long."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class MessageFlow:
    """The messages of one function, or Celery task, in one queue; None is where the router sends them."""

    name: str
    queue: str | None
    is_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueWorker:
    """A live worker as far as losses go: its queues (empty: all), and since when it has had no message."""

    queues: Collection[str]
    idle_since: datetime | None

    def consumes(self, queue: str) -> bool:
        """Return True if it takes messages of a queue."""
        return not self.queues or queue in self.queues


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was known of some flows ``at`` a moment: their messages were lost, or wait in the broker."""

    at: datetime
    lost: frozenset[MessageFlow]
    waiting: frozenset[MessageFlow]


NO_EVIDENCE = Evidence(at=datetime.min.replace(tzinfo=UTC), lost=frozenset(), waiting=frozenset())


class Fate(StrEnum):
    """What a sweep makes of a message whose check has come."""

    LOST = "lost"
    # Maybe: it is published again all the same, and a second message of a claim is dropped.
    UNKNOWN = "unknown"
    WAITS = "waits"


def evidence_of(
    queues: Mapping[MessageFlow, str | None],
    sizes: Mapping[str, int | None],
    workers: Collection[QueueWorker],
    *,
    now: datetime,
    lease: timedelta,
) -> Evidence:
    """Return what is known of flows, given the queue of each, how much is in it, and the live workers.

    The messages of a queue were lost where one of its workers has been idle for a lease: it would have taken
    them. Or where the queue is empty, and no worker of it has a message. They wait where the queue is not
    empty. None is a queue, or a number of messages, that is not known. Calls of Celery tasks may be taken by
    workers that the store does not know: they are lost only where it knows one of their queue.
    """
    lost: set[MessageFlow] = set()
    waiting: set[MessageFlow] = set()
    for flow, queue in queues.items():
        own = [worker.idle_since for worker in workers if queue and worker.consumes(queue)]
        if queue is None or (flow.is_call and not own):
            continue
        if _is_lost(own, sizes.get(queue), now - lease):
            lost.add(flow)
        elif sizes.get(queue):
            waiting.add(flow)
    return Evidence(at=now, lost=frozenset(lost), waiting=frozenset(waiting))


def fate_of(
    flow: MessageFlow,
    published_at: datetime | None,
    evidence: Evidence,
    *,
    now: datetime,
    longest: timedelta,
) -> Fate:
    """Return what becomes of a message whose check has come, by when it was published, if it is known.

    One that waits is published again after the ``longest`` time.
    """
    if published_at is None:
        return Fate.UNKNOWN
    if flow in evidence.lost and published_at < evidence.at:
        return Fate.LOST
    return Fate.WAITS if flow in evidence.waiting and now - published_at < longest else Fate.UNKNOWN


def _is_lost(idle: Collection[datetime | None], size: int | None, until: datetime) -> bool:
    if any(since is not None and since <= until for since in idle):
        return True
    return size == 0 and None not in idle
