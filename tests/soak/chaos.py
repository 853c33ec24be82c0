"""Carries out the faults, one every few seconds, and puts right what they broke."""

import logging
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

from redis import Redis
from redis.exceptions import RedisError

from tests.servers.server import Server
from tests.soak.faults import Fault, FaultKind, FaultPlan
from tests.soak.fleet import Fleet

logger = logging.getLogger(__name__)
_BEAT_FAULTS = frozenset({FaultKind.KILL_BEAT, FaultKind.FREEZE_BEAT, FaultKind.END_BEAT})
_WITH_CHILDREN = frozenset({FaultKind.KILL_BEAT, FaultKind.KILL_WORKER, FaultKind.FREEZE_WORKER})
# Celery gives a worker up whose children die before its loop has begun, and what has nothing in its hands
# is not missed.
_NEEDS_WORK = frozenset(
    {FaultKind.KILL_CHILD, FaultKind.FREEZE_WORKER, FaultKind.FREEZE_MAIN, FaultKind.FREEZE_BEAT}
)
_STARTS = 5


@dataclass(slots=True)
class Chaos:
    """Strikes a fleet and its servers; ``done`` counts the faults that hit something."""

    fleet: Fleet
    postgres: Server
    redis: Server
    plan: FaultPlan
    lease_seconds: float
    done: Counter[FaultKind] = field(default_factory=Counter)
    _down_until: dict[FaultKind, float] = field(default_factory=dict)

    def run(self, seconds: float) -> None:
        """Strike for so long."""
        end = time.monotonic() + seconds
        fault = self.plan.next()
        strikes_at = time.monotonic() + fault.after
        while time.monotonic() < end:
            self._tend()
            if time.monotonic() >= strikes_at:
                self._strike(fault)
                fault = self.plan.next()
                strikes_at = time.monotonic() + fault.after
            time.sleep(0.02)

    def calm(self) -> None:
        """End all faults, and return once everything is there again."""
        self._down_until = dict.fromkeys(self._down_until, 0.0)
        self._tend()
        self.fleet.calm()

    def _tend(self) -> None:
        self.fleet.tend()
        now = time.monotonic()
        for kind, until in list(self._down_until.items()):
            if now >= until:
                start(self._server(kind))
                del self._down_until[kind]

    def _strike(self, fault: Fault) -> None:
        if fault.kind in {FaultKind.RESTART_POSTGRES, FaultKind.RESTART_REDIS, FaultKind.FLUSH_REDIS}:
            has_hit = self._strike_server(fault)
        else:
            has_hit = self._strike_process(fault)
        if has_hit:
            self.done[fault.kind] += 1
            logger.info("%s", fault)

    def _strike_server(self, fault: Fault) -> bool:
        if fault.kind is FaultKind.FLUSH_REDIS:
            return flush(self.redis)
        if fault.kind in self._down_until:
            return False
        self._server(fault.kind).kill()
        self._down_until[fault.kind] = time.monotonic() + fault.pause
        return True

    def _strike_process(self, fault: Fault) -> bool:
        kind, fleet = fault.kind, self.fleet
        slots = fleet.among("beat" if kind in _BEAT_FAULTS else "worker", pools=_pools(kind))
        if kind in _NEEDS_WORK:
            slots = [slot for slot in slots if slot.is_at_work()]
        if not slots:
            return False
        slot = slots[int(fault.choice * len(slots))]
        with_children = kind in _WITH_CHILDREN
        match kind:
            case FaultKind.KILL_CHILD:
                return fleet.kill_child(slot, kind, choice=fault.choice)
            case FaultKind.FREEZE_WORKER | FaultKind.FREEZE_MAIN | FaultKind.FREEZE_BEAT:
                seconds = self.lease_seconds * 2 + fault.pause
                fleet.freeze(slot, kind, seconds=seconds, with_children=with_children)
            case FaultKind.END_WORKER | FaultKind.END_BEAT:
                fleet.end(slot, kind, signal.SIGTERM, pause=fault.pause)
            case FaultKind.QUIT_WORKER:
                fleet.end(slot, kind, signal.SIGQUIT, pause=fault.pause)
            case _:
                fleet.kill(slot, kind, pause=fault.pause, with_children=with_children)
        return True

    def _server(self, kind: FaultKind) -> Server:
        return self.postgres if kind is FaultKind.RESTART_POSTGRES else self.redis


def _pools(kind: FaultKind) -> tuple[str, ...]:
    # Threads have no children, and a main process of theirs is all there is.
    only_prefork = {FaultKind.KILL_CHILD, FaultKind.KILL_MAIN, FaultKind.FREEZE_MAIN}
    return ("prefork",) if kind in only_prefork else ("", "prefork", "threads")


def flush(redis: Server) -> bool:
    """Let Redis forget everything; return True if it was there to do so."""
    try:
        with Redis.from_url(redis.url) as connection:
            connection.flushall()
    except RedisError:
        return False
    return True


def start(server: Server) -> None:
    """Start a server that was killed; one of its own processes may still be on its way out."""
    for attempt in range(1, _STARTS + 1):
        try:
            server.start()
        except RuntimeError:
            server.kill()
            if attempt == _STARTS:
                raise
            time.sleep(0.2)
        else:
            return
