"""Why a run waits, in words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tickerq_celery.enums import HoldReason, Origin, TickerStatus


class WaitCause(StrEnum):
    """What a run waits for; programs distinguish causes by it, since texts may change.

    - ``TIME``: its own time, which has not come. ``RETRY``: the wait before its next attempt.
    - ``RETURN``: another try to publish it, as its claim was given back.
    - ``PAUSE``: the end of a pause: of its cron ticker, its function, a tag of it or everything.
    - ``FUNCTION``: a live worker that has its function.
    - ``LIMIT``, ``KEY``: a slot, of its function or of its concurrency key. ``RATE``: its function's rate.
    - ``BACKLOG``: fewer published runs in its queue, as there are as many as its workers take in a moment.
    - ``PARENT``: its parent in a chain. ``OVERLAP``: the overlap lock of its cron ticker.
    - ``CLAIM``: the next claim of a beat. ``BEAT``: a beat, as none is alive or none completes a tick.
    - ``SWEEP``: the next sweep of a beat, as the cause of its hold is gone.
    - ``LOCK``: the end of another transaction that has its row locked.
    - ``PUBLICATION``: its message's way to the broker. ``BROKER``: a broker that answers, or the right one.
    - ``QUEUE``: a live worker that consumes its queue. ``WORKER``: a worker that starts it.
    - ``REPORT``: what a worker reports of the call of a Celery task.
    - ``RESCUE``: its rescue, as the worker that runs it is silent or dead.
    """

    TIME = "time"
    RETRY = "retry"
    RETURN = "return"
    PAUSE = "pause"
    FUNCTION = "function"
    LIMIT = "limit"
    KEY = "key"
    RATE = "rate"
    BACKLOG = "backlog"
    PARENT = "parent"
    OVERLAP = "overlap"
    CLAIM = "claim"
    BEAT = "beat"
    SWEEP = "sweep"
    LOCK = "lock"
    PUBLICATION = "publication"
    BROKER = "broker"
    QUEUE = "queue"
    WORKER = "worker"
    REPORT = "report"
    RESCUE = "rescue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One thing that a run waits for.

    ``text`` says it in words. ``until`` is when it is over at the latest if nothing goes wrong, None where
    that is not known. ``remedy`` is the call or command that changes it, None where waiting is all. Of a
    retry, ``error_head`` is how the message of the exception before it begins: ``text`` has only its type.
    """

    cause: WaitCause
    text: str
    until: datetime | None = None
    remedy: str | None = None
    error_head: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunExplanation:
    """Why a run does not run, at one moment by the database's clock, ``at``.

    ``summary`` fits a line of a list; ``origin`` is what made the run. ``waits`` are all that it waits for,
    what holds it now before what would hold it next; ``detail`` says what else is known. A run
    that is in progress, or has ended, waits for nothing (unless its worker is gone), and ``remedy`` is what
    an operator can still do with it.

    Of one that can be retried ``retry_waits`` are what a retry would wait for before anything of it runs: the
    ends of pauses, and a worker that has its function. ``needs_other_request`` says that its stored request
    is what failed, or does not fit what its function takes: a retry would read it as well. ``misfits`` are
    the fields that do not fit, None where neither this process, nor the schema that workers registered, can
    say.
    """

    run_id: UUID
    function: str
    status: TickerStatus
    at: datetime
    origin: Origin
    summary: str
    detail: str | None = None
    waits: tuple[Wait, ...] = ()
    remedy: str | None = None
    retry_waits: tuple[Wait, ...] = ()
    needs_other_request: bool = False
    misfits: tuple[str, ...] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for anything."""
        return bool(self.waits)

    def __str__(self) -> str:
        origin = "It is a call that was made in an outbox." if self.origin is Origin.OUTBOX else None
        lines = [self.summary, self.detail, origin, self.remedy and f"To change it: {self.remedy}"]
        if self.misfits:
            lines += [f"- Does not fit: {', '.join(self.misfits)}"]
        for wait in self.waits:
            lines += [f"- {wait.text}", wait.error_head and f"  The last error: {wait.error_head}"]
            lines += [wait.remedy and f"  To change it: {wait.remedy}"]
        for wait in self.retry_waits:
            lines += [f"- A retry would wait: {wait.text}", wait.remedy and f"  To change it: {wait.remedy}"]
        return "\n".join(line for line in lines if line)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstHeld:
    """The run of a function that comes first of those that are held for a ``reason``, and why it waits."""

    reason: HoldReason
    held_since: datetime | None
    cron_ticker_id: UUID | None
    explanation: RunExplanation
