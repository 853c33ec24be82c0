"""What all rules share: the world, one look after each step, and who is struck by what."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.inner import Database
from tests.stateful import promises
from tests.stateful.actions import POSITIONS, Wheel
from tests.stateful.explaining import check_explanations
from tests.stateful.invariants import check
from tests.stateful.processes import App, Beat
from tests.stateful.sight import Sight
from tests.stateful.troubles import How, Process, Trouble, Troubles
from tests.stateful.workers import Worker
from tests.stateful.world import World

T = TypeVar("T")
# Indexes are drawn from one range whatever there is to choose from: a draw must not depend on the rows.
which = st.integers(0, 9)
_STOPS = Trouble(0, How.STOPS)


def troubles(first: int, last: int) -> st.SearchStrategy[Troubles]:
    """Return none, or one after so many questions; often it is then stopped before it deals with that."""
    one = st.builds(Trouble, st.integers(first, last), st.sampled_from([How.STOPS, *How]))
    return st.just(()) | st.tuples(one) | st.tuples(one, st.just(_STOPS))


troubles_of_the_stopped = st.sampled_from(
    [()] * 3
    + [(Trouble(0, how),) for how in How if how is not How.STOPS]
    + [(Trouble(0, how), _STOPS) for how in (How.REFUSED, How.UNANSWERED)]
    + [(Trouble(after, How.STOPS),) for after in (1, 2)]
)
one_trouble = st.sampled_from(
    [()] * 7 + [(Trouble(0, how),) for how in (How.REFUSED, How.UNANSWERED, How.DIES)]
)


class Stage(RuleBasedStateMachine):
    """The world, on which the rules act."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.world = World(database)
        self._wheel = Wheel(type(self))

    @rule(position=st.integers(0, POSITIONS - 1), data=st.data())
    def step(self, position: int, data: st.DataObject) -> None:
        """Let one of the things happen that can happen now."""
        action = self._wheel.stopped_at(position, self)
        arguments = data.draw(st.fixed_dictionaries(action.arguments), action.name)
        getattr(self, action.name)(**arguments)

    @invariant()
    def every_promise_is_kept(self) -> None:
        """The rows are as the protocol says."""
        self.look()

    def look(self) -> Sight:
        """Look, and hold what is seen against all promises; return what was seen before."""
        then = self.world.look()
        complaints = self.world.publications.complaints
        assert not complaints, complaints
        if then is not self.world.sight:
            check(self.world, then)
            check_explanations(self.world)
        return then

    def act(self, process: Process, work: Callable[[], object], troubles: Troubles = ()) -> bool:
        """Let a process do something; return True if it came through."""
        self._begin_step(process)
        self.world.publications.note_begin(process)
        came_through = process.do(work, troubles)
        self._replace(process)
        return came_through

    def go_on_with(self, process: Process, troubles: Troubles = ()) -> None:
        """Let a process go on with what was stopped."""
        self._begin_step(process)
        process.go_on(troubles)
        self._replace(process)

    def end_process(self, process: Process) -> None:
        """Kill a process."""
        process.die()
        self._replace(process)

    def end_worker(self, worker: Worker, *, is_returned: bool) -> None:
        """Kill a worker; a good broker gives what it had prefetched to others, another one hides it.

        The calls of Celery tasks that were running are delivered again as well, as with acks_late.
        """
        world = self.world
        waiting = [request.message for request in worker.waiting]
        if is_returned:
            world.broker.messages += [*waiting, *(call.message for call in worker.calls)]
        elif worker.is_loud and not worker.is_quiet:
            world.lost_with[worker.id] = [message.key for message in waiting]
        world.workers.remove(worker)
        if worker.main.is_stopped:
            worker.main.die()

    def beat_heart(self, worker: Worker, troubles: Troubles = ()) -> None:
        """Let a worker give a sign of life."""
        if self.act(worker.main, worker.beat, troubles):
            self.note_sign_of(worker)

    def note_sign_of(self, worker: Worker) -> None:
        """Know that a worker gave a sign of life."""
        if worker.is_quiet:
            worker.is_quiet, worker.woke_at = False, self.world.moment

    def pass_time(self, seconds: float) -> None:
        """Let time pass; those who are well give signs of life."""
        self.look()
        self.world.let_time_pass(seconds)
        for worker in [worker for worker in self.world.workers if worker.is_loud]:
            self.beat_heart(worker)

    def sweep(self, beat: Beat, troubles: Troubles = ()) -> None:
        """Let a beat sweep once."""
        sent_before = len(self.world.broker.history)
        beat.swept_from = self.world.moment
        came_through = self.act(beat.process, beat.sweep, troubles)
        then = self.look()
        if came_through and not troubles and beat.swept_all:
            published = {message.key for message in self.world.broker.history[sent_before:]}
            promises.after_a_sweep(self.world, then, published)

    def pick(self, number: int, candidates: Sequence[T]) -> T:
        """Return one of several."""
        return candidates[number % len(candidates)]

    def stopped(self) -> list[Process]:
        """The processes that are in the middle of something."""
        return [process for process in self.world.processes if process.is_stopped]

    def idle_apps(self) -> list[App]:
        """The apps that are not in the middle of something."""
        return [app for app in self.world.apps if not app.process.is_stopped]

    def idle_beats(self) -> list[Beat]:
        """The beats that are not in the middle of something."""
        return [beat for beat in self.world.beats if not beat.process.is_stopped]

    def idle_workers(self) -> list[Worker]:
        """The workers whose main process is not in the middle of something."""
        return [worker for worker in self.world.workers if not worker.main.is_stopped]

    def _begin_step(self, process: Process) -> None:
        self.look()
        self.world.moment += 1
        self.world.actor = process.name

    def _replace(self, process: Process) -> None:
        if not process.is_killed:
            return
        world = self.world
        world.apps = [app if app.process is not process else world.new_app() for app in world.apps]
        world.beats = [
            beat if beat.process is not process else world.new_beat(index)
            for index, beat in enumerate(world.beats)
        ]
        for worker in [worker for worker in world.workers if worker.main is process]:
            self.end_worker(worker, is_returned=False)
