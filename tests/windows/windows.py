"""The windows in which something may die."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tests.inner import CrashPoint
from tests.windows.history import CALM, Trail
from tickerq_celery import RunCondition, TimeTicker


class Victim(StrEnum):
    """Whom the window meets."""

    ADDER = "adder"
    BEAT = "beat"
    CHILD = "child"
    WORKER = "worker"
    BROKER = "broker"
    CLOCK = "clock"
    CANCELLER = "canceller"
    PRUNER = "pruner"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Pair:
    """A database and a broker."""

    store: str
    broker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A moment of the protocol, what happens there, and what becomes of the run that is met.

    ``what`` names it where a crash point does not, or not alone. ``request`` is that of the run, and
    ``handled`` says how often the exception handler is called. The sweep publishes ``again`` messages, of
    which ``dropped`` find that their run was started: one, where the beat died after the first message of its
    batch, and ``dropped_of_batch`` on a broker to which a batch goes at once. ``quick`` is the pair of a
    quick run, where it is not the one that is picked: a server that may be stopped takes seconds to start.
    ``is_variant`` is a window of which another one meets the same promise, in `make test`.
    """

    id: str
    victim: Victim
    point: CrashPoint | None = None
    what: str = ""
    number: signal.Signals = signal.SIGKILL
    trail: Trail = CALM
    request: Mapping[str, object] = field(default_factory=dict)
    handled: int = 0
    again: int = 0
    dropped: int = 0
    dropped_of_batch: int = 0
    involves_broker: bool = False
    quick: Pair | None = None
    is_variant: bool = False

    @property
    def children(self) -> list[TimeTicker]:
        """The children of the run that is met, where it has to be started and ended in a transaction.

        On a server a plain run is not: its start and its end are statements that commit themselves, within
        which nothing of ours can die.
        """
        if self.point not in {CrashPoint.START_UNCOMMITTED, CrashPoint.FINISH_UNCOMMITTED}:
            return []
        return [TimeTicker(function="Traced", run_condition=RunCondition.ON_SUCCESS)]

    @property
    def name(self) -> str:
        """What the test's id begins with."""
        how = "" if self.number is signal.SIGKILL else "frozen"
        parts = (self.id, self.point or "", self.what, self.victim.value, how)
        return "-".join(part for part in parts if part)


RESCUED_BEFORE_THE_BODY = Trail(claims=2, rescues=1, bodies=1)
RESCUED = Trail(claims=2, rescues=1, bodies=2)
RETRIED = Trail(claims=2, retries=1, bodies=2)

BATCHES = (
    Window(id="W1", victim=Victim.BEAT, point=CrashPoint.CLAIM_UNCOMMITTED, is_variant=True),
    Window(id="W2", victim=Victim.BEAT, point=CrashPoint.CLAIMED, again=3),
    Window(
        id="W3",
        victim=Victim.BEAT,
        point=CrashPoint.PUBLISHED,
        again=3,
        dropped=1,
        dropped_of_batch=3,
        involves_broker=True,
    ),
    Window(id="W3", victim=Victim.BEAT, point=CrashPoint.STAMPED, is_variant=True),
)
ADDED = Window(id="W2", victim=Victim.ADDER, point=CrashPoint.ADDED)
REFUSED = tuple(
    Window(
        id="W3",
        victim=Victim.BEAT,
        point=CrashPoint.REFUSED,
        number=number,
        involves_broker=True,
        quick=Pair(store, "fs"),
        is_variant=number is signal.SIGSTOP,
    )
    for number, store in ((signal.SIGKILL, "mariadb"), (signal.SIGSTOP, "postgres"))
)
LOST_MESSAGES = (
    Window(id="W4", victim=Victim.BROKER, what="lost", involves_broker=True),
    Window(id="W4", victim=Victim.BEAT, point=CrashPoint.TAKEN_OVER, involves_broker=True, is_variant=True),
)
PREFETCHED = tuple(
    Window(
        id="W5",
        victim=Victim.WORKER,
        point=point,
        number=signal.SIGSTOP,
        involves_broker=True,
        is_variant=point is CrashPoint.RECEIVED,
    )
    for point in (CrashPoint.RECEIVED, CrashPoint.START_UNCOMMITTED)
)
_CHILDREN = (
    Window(id="W5", victim=Victim.CHILD, point=CrashPoint.RECEIVED, involves_broker=True),
    Window(id="W5", victim=Victim.CHILD, point=CrashPoint.START_UNCOMMITTED, involves_broker=True),
    Window(id="W6", victim=Victim.CHILD, point=CrashPoint.STARTED, trail=RESCUED_BEFORE_THE_BODY, handled=1),
    Window(id="W6", victim=Victim.CHILD, what="body", trail=RESCUED, handled=1, request={"dies": True}),
    Window(id="W7", victim=Victim.CHILD, point=CrashPoint.BODY_ENDED, trail=RESCUED, handled=1),
    Window(id="W7", victim=Victim.CHILD, point=CrashPoint.FINISH_UNCOMMITTED, trail=RESCUED, handled=1),
    Window(id="W7", victim=Victim.CHILD, point=CrashPoint.FINISHED, trail=RETRIED, request={"failures": 1}),
)
# That a child dies otherwise than its worker shows at one crash point.
CHILDREN = tuple(replace(window, is_variant=window.what != "body") for window in _CHILDREN)
_WORKERS = (
    Window(id="W6", victim=Victim.WORKER, point=CrashPoint.STARTED, trail=RESCUED_BEFORE_THE_BODY, handled=1),
    Window(id="W6", victim=Victim.WORKER, what="body", trail=RESCUED, handled=1, request={"dies": True}),
    Window(id="W7", victim=Victim.WORKER, point=CrashPoint.BODY_ENDED, trail=RESCUED, handled=1),
    Window(id="W7", victim=Victim.WORKER, point=CrashPoint.FINISH_UNCOMMITTED, trail=RESCUED, handled=1),
    Window(id="W7", victim=Victim.WORKER, point=CrashPoint.FINISHED, trail=RETRIED, request={"failures": 1}),
)
# The body dies with a child; what was not finished is the same whether or not the end was written; and what
# was finished is not begun again in W10.
WORKERS = tuple(
    replace(
        window,
        is_variant=window.what == "body" or window.point in {CrashPoint.BODY_ENDED, CrashPoint.FINISHED},
    )
    for window in _WORKERS
)
SWEEPS = (
    Window(id="W6", victim=Victim.BEAT, point=CrashPoint.RESCUED, trail=RESCUED, request={"dies": True}),
    Window(
        id="W6",
        victim=Victim.BEAT,
        point=CrashPoint.REAPING,
        trail=RESCUED,
        handled=1,
        request={"dies": True},
        is_variant=True,
    ),
)
# From STARTED on, the body of the zombie ends after the newer claim; from BODY_ENDED on, while that one runs.
ZOMBIES = tuple(
    Window(
        id="W8",
        victim=Victim.WORKER,
        point=point,
        number=signal.SIGSTOP,
        trail=RESCUED,
        request={"seconds": 1},
        is_variant=point is CrashPoint.STARTED,
    )
    for point in (CrashPoint.STARTED, CrashPoint.BODY_ENDED)
)
LONE_ZOMBIE = Window(
    id="W8",
    victim=Victim.WORKER,
    point=CrashPoint.BODY_ENDED,
    what="alone",
    number=signal.SIGSTOP,
    trail=RESCUED,
)
# What is stalled in a transaction keeps the lock of a row: one that beat has to stamp, or to rescue.
LOCKING_START, LOCKING_FINISH = (
    Window(
        id="W8",
        victim=Victim.WORKER,
        point=point,
        what="locking",
        number=signal.SIGSTOP,
        quick=Pair(store, "redis"),
        is_variant=point is CrashPoint.START_UNCOMMITTED,
    )
    for point, store in (
        (CrashPoint.START_UNCOMMITTED, "mariadb"),
        (CrashPoint.FINISH_UNCOMMITTED, "postgres"),
    )
)
TWICE = Window(
    id="W9", victim=Victim.WORKER, point=CrashPoint.RECEIVED, number=signal.SIGSTOP, involves_broker=True
)
REDELIVERED = Window(id="W10", victim=Victim.WORKER, point=CrashPoint.FINISHED, involves_broker=True)
LIMITED = Window(
    id="W11",
    victim=Victim.WORKER,
    point=CrashPoint.FINISH_UNCOMMITTED,
    trail=Trail(claims=3, rescues=1, retries=1, bodies=3),
    request={"failures": 1},
)
CHAINS = (
    Window(
        id="W11",
        victim=Victim.WORKER,
        point=CrashPoint.FINISH_UNCOMMITTED,
        what="chain",
        trail=RESCUED,
    ),
    Window(id="W11", victim=Victim.WORKER, point=CrashPoint.FINISHED, what="chain", is_variant=True),
)
STORE_UNREACHABLE = Window(
    id="W12",
    victim=Victim.WORKER,
    point=CrashPoint.RECEIVED,
    number=signal.SIGSTOP,
    quick=Pair("sqlite", "redis"),
)
CLOCKS = Window(id="W13", victim=Victim.CLOCK, what="wrong")
INSTANTS = (
    Window(id="W14", victim=Victim.BEAT, point=CrashPoint.FIRE_UNCOMMITTED),
    Window(id="W14", victim=Victim.BEAT, point=CrashPoint.FIRED, is_variant=True),
)
FROZEN_INSTANT = Window(
    id="W14",
    victim=Victim.BEAT,
    point=CrashPoint.FIRE_UNCOMMITTED,
    number=signal.SIGSTOP,
    is_variant=True,
)
CANCELS = tuple(
    Window(id="W15", victim=Victim.CANCELLER, point=point, is_variant=point is CrashPoint.CANCEL_UNCOMMITTED)
    for point in (CrashPoint.CANCEL_UNCOMMITTED, CrashPoint.CANCELLED)
)
LOCKING_CANCEL = Window(
    id="W15",
    victim=Victim.CANCELLER,
    point=CrashPoint.CANCEL_UNCOMMITTED,
    what="locking",
    number=signal.SIGSTOP,
    quick=Pair("postgres", "redis"),
)
PRUNES = tuple(
    Window(id="W16", victim=Victim.PRUNER, point=point, is_variant=point is CrashPoint.PRUNE_UNCOMMITTED)
    for point in (CrashPoint.ARCHIVED, CrashPoint.PRUNE_UNCOMMITTED)
)
BULK_JOB = Window(id="W17", victim=Victim.BEAT, point=CrashPoint.BULK_UNCOMMITTED)
ROLLUPS = tuple(
    Window(id="W18", victim=Victim.BEAT, point=point, is_variant=point is not CrashPoint.ROLLUP_COUNTED)
    for point in (CrashPoint.ROLLUP_COUNTED, CrashPoint.ROLLUP_UNCOMMITTED, CrashPoint.ROLLED_UP)
)
HAND_BACKS = tuple(
    Window(
        id="W19",
        victim=Victim.COMMAND,
        point=point,
        involves_broker=True,
        is_variant=point is not CrashPoint.PUBLISHED,
    )
    for point in (CrashPoint.CLAIM_UNCOMMITTED, CrashPoint.PUBLISHED, CrashPoint.STAMPED)
)
WINDOWS = (
    *BATCHES, ADDED, *REFUSED, *LOST_MESSAGES, *PREFETCHED, *CHILDREN, *WORKERS, *SWEEPS, *ZOMBIES,
    LONE_ZOMBIE, LOCKING_START, LOCKING_FINISH, TWICE, REDELIVERED, LIMITED, *CHAINS, STORE_UNREACHABLE,
    CLOCKS, *INSTANTS, FROZEN_INSTANT, *CANCELS, LOCKING_CANCEL, *PRUNES, BULK_JOB, *ROLLUPS,
    *HAND_BACKS,
)  # fmt: skip
