"""Beats and workers as users see them: those that are there, and those that were lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from tickerq_celery.enums import NodeKind

_MISSED_HEARTBEATS = 2.5


class NodeState(StrEnum):
    """Whether a beat or worker is well, by its last heartbeat and the database's clock.

    It is silent when that is more than 2.5 of its own heartbeats ago, and dead when its own lease has passed
    as well: beats take its runs from it then. One that is stopping takes no more runs, and still beats.
    """

    ALIVE = "alive"
    STOPPING = "stopping"
    SILENT = "silent"
    DEAD = "dead"


NodeStateLike: TypeAlias = NodeState | Literal["alive", "stopping", "silent", "dead"]


def state_of(
    silent_for: timedelta, *, heartbeat: timedelta, lease: timedelta, is_stopping: bool
) -> NodeState:
    """Return the state of a node whose last heartbeat is so long ago."""
    if silent_for > _MISSED_HEARTBEATS * heartbeat:
        return NodeState.DEAD if silent_for >= lease else NodeState.SILENT
    return NodeState.STOPPING if is_stopping else NodeState.ALIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A beat or worker at one moment; times are aware UTC, by the database's clock.

    ``seen_at`` is its last heartbeat, ``silent_for`` the time since then; ``heartbeat`` and ``lease`` are its
    own settings. ``clock_offset`` says how far its own clock was ahead of the database's then. ``memory`` is
    what the process and those below it held then, in bytes; None where it could not be read. ``pool`` is of a
    worker: prefork, threads, solo, gevent, eventlet, or the name of another class.

    ``ticked_at`` and ``claimed`` are of a beat: its last complete tick before that heartbeat, None before the
    first one, and how often it has claimed a run since it started. ``pruned_at`` and ``pruned`` are of a beat
    that prunes: when it last had deleted all that was expired, None before the first round, and how
    many rows it has deleted since it started. ``refusal`` is of a beat: what the broker has done instead of
    taking its messages, after "the broker has", since ``refused_since`` and for the last time at
    ``refused_at``; None from the first message on that it took again.

    ``running`` is how many runs are in progress on a worker. ``missing_functions`` are those that other live
    workers of the namespace have and this worker has not.
    """

    id: UUID
    namespace: str
    kind: NodeKind
    name: str
    host: str
    pid: int
    version: str
    state: NodeState
    queues: tuple[str, ...]
    broker: str | None
    pool: str | None
    concurrency: int | None
    prefetch: int | None
    memory: int | None
    clock_offset: timedelta
    heartbeat: timedelta
    lease: timedelta
    started_at: datetime
    seen_at: datetime
    silent_for: timedelta
    stopping_since: datetime | None
    ticked_at: datetime | None
    claimed: int | None
    pruned_at: datetime | None
    pruned: int | None
    refusal: str | None
    refused_since: datetime | None
    refused_at: datetime | None
    running: int
    functions: tuple[str, ...]
    missing_functions: tuple[str, ...]

    @property
    def is_present(self) -> bool:
        """Whether it beats, so that it can be asked for something."""
        return self.state in {NodeState.ALIVE, NodeState.STOPPING}

    @property
    def takes_runs(self) -> bool:
        """Whether it is a live worker that has not begun to shut down."""
        return self.kind is NodeKind.WORKER and self.state is NodeState.ALIVE

    @property
    def is_refused(self) -> bool:
        """Whether it is a live beat whose last tick ended as the broker did not take its messages."""
        if self.state is not NodeState.ALIVE or self.refused_at is None:
            return False
        return self.ticked_at is None or self.ticked_at <= self.refused_at


class Consumer(Protocol):
    """What says of a beat or worker whether, and from which queues, it takes runs."""

    @property
    def takes_runs(self) -> bool:
        """Whether it is a worker that takes runs."""

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that it consumes; empty where it does not say which."""


def consumed_queues(nodes: Iterable[Consumer]) -> frozenset[str] | None:
    """Return the queues that the workers among nodes consume, or None where one does not say which."""
    workers = [node for node in nodes if node.takes_runs]
    if not all(node.queues for node in workers):
        return None
    return frozenset(queue for node in workers for queue in node.queues)


def functions_there(nodes: Iterable[NodeView]) -> frozenset[str]:
    """Return the functions that those workers among nodes have which take runs."""
    return frozenset(name for node in nodes if node.takes_runs for name in node.functions)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostNode:
    """A beat or worker that was found dead, so that its row was removed; times are aware UTC.

    ``seen_at`` is its last heartbeat, and ``found_by`` the beat that found it dead. ``stopping_since`` is set
    if it was shutting down. ``returned_at`` is set if it registered again: it was frozen, or cut off from the
    database, and not dead.
    """

    id: UUID
    namespace: str
    kind: NodeKind
    name: str
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    started_at: datetime
    seen_at: datetime
    stopping_since: datetime | None
    found_at: datetime
    found_by: str
    returned_at: datetime | None
