"""The beats and workers of a soak: each has a place that is filled again when its process has gone."""

import os
import signal
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path

from tests.acceptance.processes import CeleryProcess, wait_until
from tests.soak.history import Blow

PROGRAM = ("celery", "-A", "tests.soak.soak_app")
READY_SECONDS = 90.0
# What was told to end in good order has so long, with whatever else happens to it meanwhile.
PATIENCE_SECONDS = 20.0
# How a worker with threads ends when one of its bodies ends the process by plan.
_PLANNED_ENDS = frozenset({3, -signal.SIGKILL})


class State(Enum):
    """What was last done to a place's process."""

    RUNNING = auto()
    FROZEN = auto()
    ENDING = auto()
    DOWN = auto()


@dataclass(slots=True, kw_only=True)
class Place:
    """Where one beat or worker runs, again and again; ``until`` is when its state ends (monotonic)."""

    name: str
    command: str
    arguments: tuple[str, ...] = ()
    pool: str = ""
    state: State = State.DOWN
    until: float = 0.0
    pause: float = 0.0
    process: CeleryProcess | None = None
    starts: int = 0

    @property
    def running(self) -> CeleryProcess:
        """The process that fills the place."""
        assert self.process is not None, f"{self.name} was never started"
        return self.process

    def is_at_work(self) -> bool:
        """Whether its process has begun to take messages, or to dispatch."""
        return any(word in self.running.log for word in (" received", " dispatched "))


def make_places() -> list[Place]:
    """Return the places of two beats and three workers, of different pools."""
    beats = [Place(name=f"beat{n}", command="beat") for n in (1, 2)]
    pools = (("prefork", 2), ("threads", 4), ("prefork", 3))
    workers = [
        Place(
            name=f"worker{n}",
            command="worker",
            pool=pool,
            arguments=("--pool", pool, "--concurrency", str(concurrency), "-n", f"worker{n}@%h"),
        )
        for n, (pool, concurrency) in enumerate(pools, 1)
    ]
    return [*beats, *workers]


@dataclass(slots=True)
class Fleet:
    """All places; ``tend`` must be called often, and does what has fallen due."""

    folder: Path
    environ: Mapping[str, str]
    places: list[Place] = field(default_factory=make_places)
    blows: list[Blow] = field(default_factory=list)
    # Names of logs: of processes that ended though nobody told them to, that Celery gave up by an error of
    # its own, and that had to be killed as they did not end when told to.
    unasked_ends: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    slow_ends: list[str] = field(default_factory=list)
    restarts: int = 0

    def start_all(self) -> None:
        """Fill all places, and return once each process is ready."""
        for place in self.places:
            self._revive(place)
        for place in self.places:
            self._wait_until_ready(place)

    def among(self, command: str, *, pools: Collection[str] = ("", "prefork", "threads")) -> list[Place]:
        """Return the places of beats or workers whose process runs."""
        return [
            each
            for each in self.places
            if each.command == command and each.pool in pools and each.state is State.RUNNING
        ]

    def tend(self) -> None:
        """Fill empty places again, let the frozen go on, and see who ended."""
        now = time.monotonic()
        for place in self.places:
            self._notice_end(place, now)
            if now < place.until or place.state is State.RUNNING:
                continue
            if place.state is State.ENDING:
                self.slow_ends.append(place.running.log_path.name)
                self._clear(place, now)
            else:
                self._revive(place)

    def kill(self, place: Place, kind: str, *, pause: float, with_children: bool) -> None:
        """End a process as a crash does."""
        process = place.running
        self._note(kind, process.group())
        if with_children:
            process.kill()
        else:
            process.signal(signal.SIGKILL)
            process.wait()
        place.state, place.until = State.DOWN, time.monotonic() + pause

    def kill_child(self, place: Place, kind: str, *, choice: float) -> bool:
        """End one child of a worker's pool; say whether there was one."""
        process = place.running
        children = sorted(pid for pid in process.group() if pid != process.pid)
        if not children:
            return False
        child = children[int(choice * len(children))]
        self._note(kind, [child])
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        return True

    def freeze(self, place: Place, kind: str, *, seconds: float, with_children: bool) -> None:
        """Stop a process, which goes on later as if nothing had happened."""
        process = place.running
        group = process.group()
        self._note(kind, group)
        for pid in group if with_children else [process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        place.state, place.until = State.FROZEN, time.monotonic() + seconds

    def end(self, place: Place, kind: str, number: signal.Signals, *, pause: float) -> None:
        """Ask a process to end by itself."""
        self._note(kind, place.running.group())
        place.running.signal(number)
        place.state, place.pause = State.ENDING, pause
        place.until = time.monotonic() + PATIENCE_SECONDS

    def calm(self) -> None:
        """Fill all places, and return once each process is ready; call it when no more faults come."""
        while any(each.state is not State.RUNNING for each in self.places):
            for place in self.places:
                if place.state is not State.ENDING:
                    place.until = 0.0
            self.tend()
            time.sleep(0.05)
        for place in self.places:
            self._wait_until_ready(place)

    def stop_all(self) -> None:
        """Ask all to end in good order, and kill those that do not."""
        for place in self.places:
            place.running.signal(signal.SIGTERM)
        for place in self.places:
            try:
                code = place.running.wait(PATIENCE_SECONDS)
            except AssertionError:
                self.slow_ends.append(place.running.log_path.name)
                place.running.kill()
            else:
                if code != 0:
                    self._judge_end(place)

    def close(self) -> None:
        """Kill whatever is left, also what was started a moment ago and stands in no place yet."""
        for place in self.places:
            if place.process is not None:
                place.process.kill()
        for pid in _working_in(self.folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _note(self, kind: str, pids: Collection[int]) -> None:
        self.blows.append(Blow(kind=kind, at=datetime.now(UTC), pids=frozenset(pids)))

    def _notice_end(self, place: Place, now: float) -> None:
        if place.state is State.DOWN or place.running.is_alive():
            return
        if place.state is State.RUNNING:
            self._judge_end(place)
        self._clear(place, now)

    def _judge_end(self, place: Place) -> None:
        code = place.running.wait()
        if place.pool == "threads" and code in _PLANNED_ENDS:
            return
        is_celerys = place.command == "worker" and is_celerys_own(place.running.log)
        ends = self.given_up if is_celerys else self.unasked_ends
        ends.append(f"{place.running.log_path.name}: exit code {code}")

    def _clear(self, place: Place, now: float) -> None:
        place.running.kill()
        place.state, place.until, place.pause = State.DOWN, now + place.pause, 0.0

    def _revive(self, place: Place) -> None:
        if place.state is State.FROZEN:
            for pid in place.running.group():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        else:
            if place.process is not None:
                # Orphans of a main process that was killed alone.
                place.process.kill()
                self.restarts += 1
            place.starts += 1
            place.process = CeleryProcess(
                f"{place.name}-{place.starts}",
                (place.command, "--loglevel", "info", *place.arguments),
                folder=self.folder,
                environ=self.environ,
                program=PROGRAM,
            )
        place.state = State.RUNNING

    def _wait_until_ready(self, place: Place) -> None:
        word = " ready." if place.command == "worker" else "beat: Starting..."

        def is_ready() -> bool:
            self.tend()
            return place.state is State.RUNNING and word in place.running.log

        wait_until(is_ready, lambda: f"{place.name} is ready:\n{place.running.log}", READY_SECONDS)


def is_celerys_own(log: str) -> bool:
    """Whether a worker's log ends in an error that it could not recover from, and that is not ours."""
    _, found, rest = log.rpartition("Unrecoverable error")
    return bool(found) and "tickerq_celery" not in rest


def _working_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is the folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if link.readlink() == folder:
                found.append(int(link.parent.name))
    return found
