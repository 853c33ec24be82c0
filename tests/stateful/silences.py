"""Ways to a worker that was taken for dead, and to two bodies of one run."""

from enum import Enum

from hypothesis import strategies as st

from tests.stateful import promises
from tests.stateful.actions import action
from tests.stateful.adding import RETRY_SECONDS, Adding
from tests.stateful.bodies import End
from tests.stateful.cancelling import Cancelling
from tests.stateful.dispatching import Dispatching
from tests.stateful.executing import Executing, ends
from tests.stateful.following import Following
from tests.stateful.hands import Held
from tests.stateful.operating import Operating
from tests.stateful.processes import Beat
from tests.stateful.recovering import Recovering
from tests.stateful.reporting import Reporting
from tests.stateful.stage import troubles, which
from tests.stateful.steering import CronSteering
from tests.stateful.troubles import How, Trouble, Troubles
from tests.stateful.workers import Worker
from tests.stateful.world import LEASE_SECONDS, LOOK_SECONDS

LOOKS_FOR_A_LEASE = 2 + LEASE_SECONDS // LOOK_SECONDS


class Meanwhile(Enum):
    """What happens while a beat is stopped that was about to reap a worker."""

    NOTHING = "nothing"
    IT_WAKES = "it gives a sign of life"
    IT_REGISTERS = "another beat reaps it, and it registers again"
    IT_RUNS_ON = "its runs fail, and start again elsewhere"

    def __repr__(self) -> str:
        return f"Meanwhile.{self.name}"


class Silences(
    Adding, Cancelling, CronSteering, Dispatching, Executing, Following, Operating, Reporting, Recovering
):
    """Workers that give no sign of life for a lease."""

    @action(
        6,
        lambda self: self.busy_workers() and self.idle_beats(),
        worker=which,
        beat=which,
        troubles=troubles(1, 5),
        asked=st.integers(1, 5),
        meanwhile=st.sampled_from(Meanwhile),
    )
    def lose_sight(
        self, worker: int, beat: int, troubles: Troubles, asked: int, meanwhile: Meanwhile
    ) -> None:
        """A worker falls silent for so long that a beat takes it for dead; its children go on."""
        chosen, watching = self.pick(worker, self.busy_workers()), self.pick(beat, self.idle_beats())
        is_stopped = meanwhile is not Meanwhile.NOTHING
        self.take_for_dead(chosen, watching, (Trouble(asked, How.STOPS),) if is_stopped else troubles)
        others = self.idle_beats()
        if not is_stopped or not watching.process.is_stopped or not others:
            return
        if meanwhile is Meanwhile.IT_RUNS_ON:
            self.run_elsewhere(chosen, others[0])
        elif not chosen.main.is_stopped:
            self.wake(chosen, others[0] if meanwhile is Meanwhile.IT_REGISTERS else None)
        self.go_on_with(watching.process)

    def wake(self, worker: Worker, reaped_by: Beat | None) -> None:
        """Let a silent worker give a sign of life, or so many that its new row looks like its old one."""
        signs = 1
        if reaped_by is not None and worker.id in self.world.sight.nodes:
            signs += self.world.sight.nodes[worker.id].counter
            self.watch_silence(reaped_by)
        worker.is_silent = False
        for _ in range(signs):
            self.beat_heart(worker)

    def run_elsewhere(self, worker: Worker, beat: Beat) -> None:
        """Let a worker's bodies fail, and their retries start on another one."""
        for held in [held for held in self.bodies() if held.worker is worker]:
            self.finish_body(held, End.FAILS)
        self.pass_time(RETRY_SECONDS)
        self.act(beat.process, beat.dispatch)
        self.take_all(self.hire_worker(is_full=True))

    def take_for_dead(self, worker: Worker, beat: Beat, troubles: Troubles = ()) -> None:
        """Let a beat watch a silent worker for a lease; trouble meets the sweep that finds it dead."""
        worker.is_silent = True
        self.watch_silence(beat, troubles)
        if not troubles:
            promises.after_a_silence(self.world, worker.id)

    @action(5, lambda self: self.bodies() and self.idle_beats(), body=which, beat=which, end=st.none() | ends)
    def start_elsewhere(self, body: int, beat: int, end: End | None) -> None:
        """A worker is taken for dead; what it ran starts on another while its own body goes on, or ends."""
        zombie = self.pick(body, self.bodies())
        chosen = self.pick(beat, self.idle_beats())
        self.take_for_dead(zombie.worker, chosen)
        self.act(chosen.process, chosen.dispatch)
        self.look()
        heir = self.hire_worker(is_full=True)
        for message in [each for each in self.world.broker.messages if each.key.run_id == zombie.key.run_id]:
            self.give(given_to=heir, index=self.world.broker.messages.index(message))
            self.start_request(Held(heir, heir.requests[-1]))
        if end is not None:
            self.finish_body(zombie, end)

    @action(
        3,
        lambda self: self.idle_beats() and any(each.waiting for each in self.loud_workers()),
        worker=which,
        beat=which,
    )
    def bury(self, worker: int, beat: int) -> None:
        """A worker is killed with messages in its hands, which the broker hides, and a beat finds it dead."""
        with_messages = [each for each in self.loud_workers() if each.waiting]
        chosen, found_by = self.pick(worker, with_messages), self.pick(beat, self.idle_beats())
        self.end_worker(chosen, is_returned=False)
        self.watch_silence(found_by)

    def watch_silence(self, beat: Beat, troubles: Troubles = ()) -> None:
        """Let a beat sweep for a lease; trouble meets the last sweep."""
        for looks_left in reversed(range(LOOKS_FOR_A_LEASE)):
            self.pass_time(LOOK_SECONDS)
            self.sweep(beat, () if looks_left else troubles)

    def take_all(self, worker: Worker) -> list[Held]:
        """Let a worker take all messages that the broker has, and start what it may."""
        before = len(worker.requests)
        while self.world.broker.messages:
            self.give(given_to=worker, index=0)
        taken = [Held(worker, request) for request in worker.requests[before:]]
        for held in taken:
            self.start_request(held)
        return [held for held in taken if held.request.run is not None]

    def loud_workers(self) -> list[Worker]:
        """The workers that are well, as far as can be seen."""
        return [worker for worker in self.world.workers if worker.is_loud and not worker.is_quiet]

    def busy_workers(self) -> list[Worker]:
        """The workers that have something in their hands, those with bodies if there are any."""
        with_bodies = [worker for worker in self.world.workers if worker.bodies]
        return with_bodies or [worker for worker in self.world.workers if worker.requests]
