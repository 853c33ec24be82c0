"""The beats and workers of a soak: each has a slot that is filled again when its process has gone."""

import signal
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.acceptance.waiting import wait_until
from tests.soak.ends import Ends, seconds_to_end
from tests.soak.slot import Slot, State, make_slots, signal_all
from tests.soak.traces import Blow

READY_SECONDS = 90.0


@dataclass(slots=True)
class Fleet:
    """All slots; ``tend`` must be called often, and does what has fallen due."""

    folder: Path
    environ: Mapping[str, str]
    slots: Sequence[Slot] = field(default_factory=make_slots)
    blows: list[Blow] = field(default_factory=list)
    ends: Ends = field(default_factory=Ends)
    restarts: int = 0

    def start_all(self) -> None:
        """Fill all slots, and return once each process is ready."""
        for slot in self.slots:
            self._revive(slot)
        for slot in self.slots:
            self._wait_until_ready(slot)

    def among(self, command: str, *, pools: Collection[str] = ("", "prefork", "threads")) -> list[Slot]:
        """Return the slots of beats or workers whose process runs."""
        return [
            each
            for each in self.slots
            if each.command == command and each.pool in pools and each.state is State.RUNNING
        ]

    def tend(self) -> None:
        """Fill empty slots again, let the frozen go on, and see who ended."""
        now = time.monotonic()
        for slot in self.slots:
            self._notice_end(slot, now)
            if now < slot.until or slot.state is State.RUNNING:
                continue
            if slot.state is State.ENDING:
                self.ends.note_slow(slot)
                self._clear(slot, now)
            else:
                self._revive(slot)

    def kill(self, slot: Slot, kind: str, *, pause: float, with_children: bool) -> None:
        """End a process as a crash does."""
        process = slot.running
        self._note(kind, process.group())
        if with_children:
            process.kill()
        else:
            process.signal(signal.SIGKILL)
            process.wait()
        slot.state, slot.until = State.DOWN, time.monotonic() + pause

    def kill_child(self, slot: Slot, kind: str, *, choice: float) -> bool:
        """End one child of a worker's pool; return True if there was one."""
        process = slot.running
        children = sorted(pid for pid in process.group() if pid != process.pid)
        if not children:
            return False
        child = children[int(choice * len(children))]
        self._note(kind, [child])
        signal_all([child], signal.SIGKILL)
        return True

    def freeze(self, slot: Slot, kind: str, *, seconds: float, with_children: bool) -> None:
        """Stop a process, which goes on later as if nothing had happened."""
        process = slot.running
        group = process.group()
        self._note(kind, group)
        signal_all(group if with_children else [process.pid], signal.SIGSTOP)
        slot.state, slot.until = State.FROZEN, time.monotonic() + seconds

    def end(self, slot: Slot, kind: str, number: signal.Signals, *, pause: float) -> None:
        """Ask a process to end by itself."""
        self._note(kind, slot.running.group())
        seconds = seconds_to_end(slot)
        slot.running.signal(number)
        slot.state, slot.pause = State.ENDING, pause
        slot.until = time.monotonic() + seconds

    def calm(self) -> None:
        """Fill all slots, and return once each process is ready; call it when no more faults come."""
        while any(each.state is not State.RUNNING for each in self.slots):
            for slot in self.slots:
                if slot.state is not State.ENDING:
                    slot.until = 0.0
            self.tend()
            time.sleep(0.05)
        for slot in self.slots:
            self._wait_until_ready(slot)

    def stop_all(self) -> None:
        """Ask all to end in good order, and kill those that do not."""
        for slot in self.slots:
            seconds = seconds_to_end(slot)
            slot.running.signal(signal.SIGTERM)
            slot.until = time.monotonic() + seconds
        for slot in sorted(self.slots, key=lambda each: each.until):
            try:
                code = slot.running.wait(max(0.0, slot.until - time.monotonic()))
            except AssertionError:
                self.ends.note_slow(slot)
                slot.running.kill()
            else:
                if code != 0:
                    self.ends.judge(slot)

    def close(self) -> None:
        """Kill whatever is left, also what was started a moment ago and stands in no slot yet."""
        for slot in self.slots:
            if slot.process is not None:
                slot.process.kill()
        signal_all(_working_in(self.folder), signal.SIGKILL)

    def _note(self, kind: str, pids: Collection[int]) -> None:
        self.blows.append(Blow(kind=kind, at=datetime.now(UTC), pids=frozenset(pids)))

    def _notice_end(self, slot: Slot, now: float) -> None:
        if slot.state is State.DOWN or slot.running.is_alive():
            return
        if slot.state is State.RUNNING:
            self.ends.judge(slot)
        self._clear(slot, now)

    def _clear(self, slot: Slot, now: float) -> None:
        slot.running.kill()
        slot.state, slot.until, slot.pause = State.DOWN, now + slot.pause, 0.0

    def _revive(self, slot: Slot) -> None:
        if slot.state is State.FROZEN:
            signal_all(slot.running.group(), signal.SIGCONT)
        else:
            if slot.process is not None:
                # Orphans of a main process that was killed alone.
                slot.process.kill()
                self.restarts += 1
            slot.fill(folder=self.folder, environ=self.environ)
        slot.state = State.RUNNING

    def _wait_until_ready(self, slot: Slot) -> None:
        def is_ready() -> bool:
            self.tend()
            return slot.state is State.RUNNING and slot.is_ready()

        wait_until(is_ready, lambda: f"{slot.name} is ready:\n{slot.running.log}", READY_SECONDS)


def _working_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is the folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if link.readlink() == folder:
                found.append(int(link.parent.name))
    return found
