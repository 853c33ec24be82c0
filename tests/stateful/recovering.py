"""Rules of bad luck and of time: workers that fall silent or die, messages that go astray, clocks."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.stateful import promises
from tests.stateful.actions import action
from tests.stateful.broker import LATEST
from tests.stateful.stage import Stage, troubles, which
from tests.stateful.troubles import Troubles
from tests.stateful.workers import Worker
from tests.stateful.world import LOOK_SECONDS

_MOST_WORKERS = 3


class Recovering(Stage):
    """What goes wrong, and the looks that find it."""

    @action(3, lambda self: self.idle_workers(), worker=which, troubles=troubles(0, 3))
    def heartbeat(self, worker: int, troubles: Troubles) -> None:
        """A worker gives a sign of life, and compares."""
        self.beat_heart(self.pick(worker, self.idle_workers()), troubles)

    @action(2, lambda self: self.world.workers, worker=which, is_silent=st.sampled_from([True, True, False]))
    def silence(self, worker: int, is_silent: bool) -> None:
        """A worker falls silent while its children go on, or finds its voice again."""
        self.pick(worker, self.world.workers).is_silent = is_silent

    @action(1, lambda self: self.world.workers, worker=which, is_returned=st.booleans())
    def kill_worker(self, worker: int, is_returned: bool) -> None:
        """A worker is killed with all its children."""
        self.end_worker(self.pick(worker, self.world.workers), is_returned=is_returned)

    @action(1, lambda self: self.idle_workers(), worker=which)
    def retire(self, worker: int) -> None:
        """A worker is asked to exit at once: it takes its row with it, unless runs are InProgress there."""
        chosen = self.pick(worker, self.idle_workers())
        if self.act(chosen.main, chosen.leave):
            self.end_worker(chosen, is_returned=True)

    @action(15, lambda self: not any(worker.knows_all and worker.is_loud for worker in self.world.workers))
    def replace(self) -> None:
        """A worker starts where none is left that is well."""
        self.hire_worker(is_full=True)

    @action(1, lambda self: len(self.world.workers) < _MOST_WORKERS, is_full=st.booleans())
    def hire(self, is_full: bool) -> None:
        """One more worker starts, with all functions or with one only."""
        self.hire_worker(is_full=is_full)

    def hire_worker(self, *, is_full: bool) -> Worker:
        """Start a worker."""
        worker = self.world.hire(is_full=is_full)
        then = self.look()
        promises.after_an_enrolment(self.world, then, worker.functions)
        return worker

    @action(1, lambda self: self.world.broker.messages, message=which)
    def drop(self, message: int) -> None:
        """The broker loses a message."""
        self.world.broker.messages.remove(self.pick(message, self.world.broker.messages))

    @action(2, lambda self: self.world.broker.history, message=which)
    def repeat(self, message: int) -> None:
        """The broker has a message once more that it was sent a while ago."""
        self.world.broker.messages.append(self.pick(message, self.world.broker.history[-LATEST:]))

    @action(6, seconds=st.sampled_from([4, 8, 16]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        for begun in range(0, seconds, LOOK_SECONDS):
            self.pass_time(min(LOOK_SECONDS, seconds - begun))

    @action(1, seconds=st.sampled_from([7, 40, 300]))
    def sleep(self, seconds: int) -> None:
        """The whole machine is suspended for a while."""
        self.pass_time(seconds)

    @action(4, lambda self: self.idle_beats(), beat=which, looks=st.integers(1, 4))
    def watch(self, beat: int, looks: int) -> None:
        """A beat sweeps as time passes, and finds who gives no sign of life."""
        chosen = self.pick(beat, self.idle_beats())
        for _ in range(looks):
            self.pass_time(LOOK_SECONDS)
            self.sweep(chosen)

    @action(
        3,
        lambda self: self.idle_beats(),
        seconds=st.sampled_from([4, -4, 40, -40, -40, 3600, -3600]),
        times=st.integers(1, 4),
        beat=which,
    )
    def step_wall_clock(self, seconds: int, times: int, beat: int) -> None:
        """The system clock is set, again and again, while a beat sweeps."""
        chosen = self.pick(beat, self.idle_beats())
        for _ in range(times):
            self.world.step_wall_clock(self.world.clock.now() + timedelta(seconds=seconds))
            self.sweep(chosen)
