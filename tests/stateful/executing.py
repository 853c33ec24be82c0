"""Rules of the workers' children: take a message, start, end."""

from enum import Enum

from hypothesis import strategies as st

from tests.inner import SignalKind, Started
from tests.stateful import promises
from tests.stateful.actions import action
from tests.stateful.bodies import End
from tests.stateful.calls import CallRequest
from tests.stateful.hands import Hands, Held, report_of
from tests.stateful.stage import one_trouble, which
from tests.stateful.troubles import How, Troubles
from tests.stateful.workers import Request, Worker
from tickerq_celery.enums import TickerStatus

ends = st.sampled_from([End.SUCCEEDS, *End, End.FAILS])


class Progress(Enum):
    """How far a worker comes with a message as soon as it has it."""

    TAKEN = "taken"
    BEGUN = "begun"
    ENDED = "ended"

    def __repr__(self) -> str:
        return f"Progress.{self.name}"


class Executing(Hands):
    """The way of a message to the end of its attempt."""

    @action(
        18,
        lambda self: self.function_messages() and self.world.workers,
        message=which,
        worker=which,
        so_far=st.sampled_from([Progress.BEGUN, Progress.BEGUN, *Progress]),
        end=ends,
        troubles=one_trouble,
    )
    def deliver(self, message: int, worker: int, so_far: Progress, end: End, troubles: Troubles) -> None:
        """A worker is given a message; a child may begin at once, and even end."""
        given = self.pick(message, self.function_messages())
        chosen = self.pick(worker, self.world.workers)
        if not self.give(given_to=chosen, index=self.world.broker.messages.index(given)):
            return
        held = Held(chosen, chosen.requests[-1])
        if so_far is not Progress.TAKEN:
            self.start_request(held, troubles)
            self.look()
        if so_far is Progress.ENDED and held.request.run is not None:
            self.finish_body(held, end)

    def give(self, *, given_to: Worker, index: int) -> bool:
        """Move a message from the broker to a worker; return True if that has its function."""
        message = self.world.broker.messages.pop(index)
        if message.is_call:
            given_to.calls.append(CallRequest(message))
            return True
        is_known = message.function in given_to.functions
        if is_known:
            given_to.requests.append(Request(message))
        else:
            given_to.reports.append(report_of(message.key, SignalKind.UNKNOWN))
        return is_known

    @action(8, lambda self: self.waiting(), request=which, troubles=one_trouble)
    def start(self, request: int, troubles: Troubles) -> None:
        """A child asks for the run of a message that its worker has prefetched."""
        self.start_request(self.pick(request, self.waiting()), troubles)

    def start_request(self, held: Held, troubles: Troubles = ()) -> None:
        """Let a child ask for a run; it may execute it only if the claim is Queued still."""
        self.look()
        key, world = held.key, self.world
        row = world.sight.runs.get(key.run_id)
        may_start = row is not None and (row.status, row.claim_no) == (TickerStatus.QUEUED, key.number)
        answers: list[Started | None] = []
        came_through = self.act(
            held.worker.child, lambda: answers.append(held.worker.start(held.request.message)), troubles
        )
        if may_start and (came_through or (troubles and troubles[0].how is How.UNANSWERED)):
            assert key not in world.starts, f"{world.label(key.run_id)}, claim {key.number} starts twice"
            world.starts[key] = held.worker.id
        (started,) = answers or [None]
        if came_through:
            assert (started is not None) == may_start, f"{world.label(key.run_id)}: {started}"
        if started is None:
            held.drop()
        else:
            self._begin(held, started)

    def _begin(self, held: Held, run: Started) -> None:
        world, worker = self.world, held.worker
        others = [each for each in self.bodies() if each.key.run_id == run.id]
        doubted = [each.request.is_doubted for each in others]
        assert all(doubted), f"two bodies of {world.label(run.id)}, and no living worker was taken for dead"
        held.request.run = run
        # A sweep that was stopped may have judged the worker by the silence before it woke.
        judged = [
            beat for beat in world.beats if beat.process.is_stopped and beat.swept_from <= worker.woke_at
        ]
        held.request.is_doubted = worker.is_quiet or bool(judged)
        world.say(f"{world.label(run.id)}, claim {run.claim_no} starts")

    @action(
        14,
        lambda self: self.bodies(),
        body=which,
        end=ends,
        troubles=one_trouble,
    )
    def finish(self, body: int, end: End, troubles: Troubles) -> None:
        """A body ends; its end counts only if its claim is the one that is InProgress."""
        self.finish_body(self.pick(body, self.bodies()), end, troubles)

    def finish_body(self, held: Held, end: End, troubles: Troubles = ()) -> None:
        """Let a child write how a body ended."""
        self.look()
        run = held.request.run
        assert run is not None
        row = self.world.sight.runs.get(run.id)
        counts = row is not None and (row.status, row.claim_no) == (TickerStatus.IN_PROGRESS, run.claim_no)
        answers: list[bool] = []
        came_through = self.act(
            held.worker.child, lambda: answers.append(held.worker.finish(run, end.outcome(run))), troubles
        )
        held.drop()
        self.world.say(f"{self.world.label(run.id)}, claim {run.claim_no} ends with {end}: {answers}")
        if came_through:
            assert answers == [counts], f"accepted: {answers}, of {self.world.label(run.id)} at {row}"
        then = self.look()
        if came_through and row is not None and counts:
            promises.after_an_end(self.world, then, row, end)
