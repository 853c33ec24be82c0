"""Several steps in a row to where it becomes interesting: chance alone would seldom take all of them."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.stateful.actions import action
from tests.stateful.dispatching import Dispatching
from tests.stateful.executing import Executing, Held
from tests.stateful.processes import Beat, Worker
from tests.stateful.recovering import Recovering
from tests.stateful.stage import troubles, which
from tests.stateful.troubles import Troubles
from tests.stateful.world import LEASE_SECONDS, LOOK_SECONDS

LOOKS_FOR_A_LEASE = 2 + LEASE_SECONDS // LOOK_SECONDS


class Journeys(Dispatching, Executing, Recovering):
    """The ways to a worker that was taken for dead, to two bodies of one run, to instants that come again."""

    @action(
        4,
        lambda self: self.busy_workers() and self.idle_beats(),
        worker=which,
        beat=which,
        troubles=troubles(1, 5),
    )
    def lose_sight(self, worker: int, beat: int, troubles: Troubles) -> None:
        """A worker falls silent for so long that a beat takes it for dead; its children go on."""
        self.take_for_dead(
            self.pick(worker, self.busy_workers()), self.pick(beat, self.idle_beats()), troubles
        )

    def take_for_dead(self, worker: Worker, beat: Beat, troubles: Troubles = ()) -> None:
        """Let a beat watch a silent worker for a lease; trouble meets the sweep that finds it dead."""
        worker.is_silent = True
        for looks_left in reversed(range(LOOKS_FOR_A_LEASE)):
            self.pass_time(LOOK_SECONDS)
            self.sweep(beat, () if looks_left else troubles)

    @action(3, lambda self: self.bodies() and self.idle_beats(), body=which, beat=which)
    def start_elsewhere(self, body: int, beat: int) -> None:
        """A worker is taken for dead, and what it ran starts on another while its own body goes on."""
        zombie = self.pick(body, self.bodies())
        chosen = self.pick(beat, self.idle_beats())
        self.take_for_dead(zombie.worker, chosen)
        self.act(chosen.process, chosen.dispatch)
        self.look()
        heir = self.hire_worker(is_full=True)
        for message in [each for each in self.world.broker.messages if each.key.run_id == zombie.key.run_id]:
            self.give(given_to=heir, index=self.world.broker.messages.index(message))
            self.start_request(Held(heir, heir.requests[-1]))

    @action(
        2,
        lambda self: self.idle_apps() and self.world.sight.crons,
        cron=which,
        seconds=st.sampled_from([10, 40, 3600]),
    )
    def set_back(self, cron: int, seconds: int) -> None:
        """The system clock is set back, and a cron ticker restarted: its instants come again."""
        self.world.step_wall_clock(self.world.clock.now() - timedelta(seconds=seconds))
        self.restart_cron(self.pick(cron, list(self.world.sight.crons)))

    def busy_workers(self) -> list[Worker]:
        """The workers that have something in their hands, those with bodies if there are any."""
        with_bodies = [worker for worker in self.world.workers if worker.bodies]
        return with_bodies or [worker for worker in self.world.workers if worker.requests]
