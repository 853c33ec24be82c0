"""Rules of the workers that follow calls of Celery tasks: bodies run in any order, records are fenced."""

from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Row

from tests.inner import LOST, Outcome, Started
from tests.stateful.actions import action
from tests.stateful.broker import LATEST, Message
from tests.stateful.calls import MOST_RETRIES, AttemptKey, CallEnd, CallRequest
from tests.stateful.executing import Progress
from tests.stateful.hands import Hands
from tests.stateful.stage import one_trouble, which
from tests.stateful.troubles import How, Troubles
from tests.stateful.workers import Worker
from tickerq_celery.enums import SUCCEEDED, TickerStatus

call_ends = st.sampled_from([CallEnd.SUCCEEDS, *CallEnd, CallEnd.RETRIES])


class HeldCall:
    """A call's message, and the worker that holds it."""

    def __init__(self, worker: Worker, request: CallRequest) -> None:
        self.worker = worker
        self.request = request
        self.message: Message = request.message

    def drop(self) -> None:
        """Let the worker know nothing of it any more."""
        self.worker.calls.remove(self.request)


class Following(Hands):
    """The way of a Celery task's message to the end of its execution."""

    @action(
        9,
        lambda self: self.call_messages() and self.world.workers,
        message=which,
        worker=which,
        so_far=st.sampled_from([Progress.BEGUN, *Progress]),
        end=call_ends,
        troubles=one_trouble,
    )
    def deliver_call(
        self, message: int, worker: int, so_far: Progress, end: CallEnd, troubles: Troubles
    ) -> None:
        """A worker is given the message of a call; its body may begin at once, and even end."""
        given = self.pick(message, self.call_messages())
        chosen = self.pick(worker, self.world.workers)
        self.world.broker.messages.remove(given)
        chosen.calls.append(CallRequest(given))
        held = HeldCall(chosen, chosen.calls[-1])
        if so_far is not Progress.TAKEN:
            self.begin_body(held, troubles)
        if so_far is Progress.ENDED:
            self.end_body(held, end)

    @action(5, lambda self: self.waiting_calls(), request=which, troubles=one_trouble)
    def begin_call(self, request: int, troubles: Troubles) -> None:
        """The body of a call begins that its worker has prefetched."""
        self.begin_body(self.pick(request, self.waiting_calls()), troubles)

    @action(8, lambda self: self.call_bodies(), body=which, end=call_ends, troubles=one_trouble)
    def end_call(self, body: int, end: CallEnd, troubles: Troubles) -> None:
        """The body of a call ends; what it was is always kept, and moves its run if it is the latest."""
        self.end_body(self.pick(body, self.call_bodies()), end, troubles)

    @action(3, lambda self: self.call_bodies(), body=which, is_delivered_again=st.booleans())
    def lose_call(self, body: int, is_delivered_again: bool) -> None:
        """A child dies in the body of a call; with acks_late the broker delivers its message again."""
        held = self.pick(body, self.call_bodies())
        held.drop()
        self.world.say(f"{self.world.label(held.message.key.run_id)} is lost with its child")
        if is_delivered_again:
            self.world.broker.messages.append(held.message)

    @action(
        2,
        lambda self: self.idle_workers() and self.recent_calls(),
        worker=which,
        message=which,
        is_revoked=st.booleans(),
    )
    def discard(self, worker: int, message: int, is_revoked: bool) -> None:
        """A worker's main process discards a message: its task is revoked, or unknown there."""
        chosen, given = self.pick(worker, self.idle_workers()), self.pick(message, self.recent_calls())
        for request in [each for each in chosen.calls if each.message == given and not each.is_begun]:
            chosen.calls.remove(request)
        if is_revoked:
            self.world.revoked.add(given.key)
        row = self.row_of(given)
        status = TickerStatus.CANCELLED if is_revoked else TickerStatus.FAILED
        answers: list[bool] = []
        self.report(
            chosen, given, lambda: answers.append(chosen.discard(CallRequest(given).execution, status))
        )
        self.look_at_report()
        assert answers == [_may_be_discarded(row, given)], f"discarded: {answers}, of {self.shown(row)}"

    def begin_body(self, held: HeldCall, troubles: Troubles = ()) -> None:
        """Let a body begin, and its worker report that; a report that fails keeps it from nothing."""
        self.look()
        row, message = self.row_of(held.message), held.message
        is_taken = _is_taken(row, message)
        answers: list[Started | None] = []
        came_through = self.report(
            held.worker, message, lambda: answers.append(held.worker.begin(held.request.execution)), troubles
        )
        is_unanswered = (
            bool(troubles) and troubles[0].how is How.UNANSWERED and self.starts_at_once(row, message)
        )
        if is_taken and (came_through or is_unanswered):
            self.note_start(row, message)
        self.look_at_report()
        held.request.begin(self.world.clock)
        (held.request.recorded,) = answers or [None]
        if came_through:
            assert (held.request.recorded is not None) == is_taken, f"{answers}, of {self.shown(row)}"

    def end_body(self, held: HeldCall, end: CallEnd, troubles: Troubles = ()) -> None:
        """Let a body end; Celery sends its retry before the worker reports that."""
        self.look()
        if end is CallEnd.RETRIES and held.message.retries >= MOST_RETRIES:
            end = CallEnd.FAILS
        again = held.message._replace(retries=held.message.retries + (end is CallEnd.RETRIES))
        if end in {CallEnd.RETRIES, CallEnd.COMES_AGAIN}:
            self.world.broker.take(again)
        held.drop()
        if held.request.recorded is None:
            self.begin_late(held)
        run = held.request.recorded
        self.world.say(f"{self.world.label(held.message.key.run_id)}: a body {end.value}")
        if run is not None:
            self.record_end(held, run, end, troubles)

    def begin_late(self, held: HeldCall) -> None:
        """Let a worker report a beginning whose own report failed, now that the body has ended."""
        row, message = self.row_of(held.message), held.message
        answers: list[Started | None] = []
        self.report(
            held.worker,
            message,
            lambda: answers.append(
                held.worker.begin_late(held.request.execution, began=held.request.elapsed)
            ),
        )
        (held.request.recorded,) = answers
        run = held.request.recorded
        is_known = row is not None and row.claim_no == message.key.number
        assert (run is not None) == is_known, f"{run}, of {self.shown(row)}"
        # Where the answer to its own report was lost, that start is known.
        is_new = run is not None and row is not None and run.executions > row.executions
        if is_new and _is_taken(row, message):
            self.note_start(row, message)
        self.look_at_report()

    def record_end(self, held: HeldCall, run: Started, end: CallEnd, troubles: Troubles) -> None:
        """Let a worker report an end: its attempt is always written, its run moves if it is the latest."""
        row = self.row_of(held.message)
        answers: list[Outcome | None] = []
        came_through = self.report(
            held.worker,
            held.message,
            lambda: answers.append(held.worker.end(run, end.outcome(run))),
            troubles,
        )
        key = AttemptKey(run.claim_no, run.standing.retry_count, run.executions - 1)
        life = self.world.life_of(run.id)
        is_latest = _is_of(row, run) and row is not None and row.status is TickerStatus.IN_PROGRESS
        is_corrected = _is_of(row, run) and _is_lost(row)
        life.is_revised = life.is_revised or is_corrected
        self.look_at_report()
        if not came_through:
            return
        life.ended.add(key)
        now = self.row_of(held.message)
        if not is_latest and not is_corrected:
            assert now == row, f"a stale end moves {self.shown(row)} to {self.shown(now)}"
        else:
            assert answers[0] is not None, f"not written: the end of {self.shown(row)}"
        if answers[0] is not None and now is not None and row is not None:
            expected = {TickerStatus.DONE: TickerStatus.DUE_DONE} if row.is_late else {}
            status = expected.get(end.status, end.status)
            if row.cancel_request is not None and status is TickerStatus.QUEUED and is_latest:
                status = TickerStatus.CANCELLED
            assert now.status is status, f"it {end.value}: {self.shown(now)}"

    def report(self, worker: Worker, message: Message, work: Any, troubles: Troubles = ()) -> bool:
        """Let a worker report something of a message's run; what that did is to be looked at then."""
        self.look()
        self.world.reported = message.key.run_id
        return self.act(worker.child, work, troubles)

    def look_at_report(self) -> None:
        """Look at what a report did."""
        self.look()
        self.world.reported = None

    def note_start(self, before: Row[Any] | None, message: Message) -> None:
        """Know that an execution is recorded, as the one of which its run is InProgress."""
        if before is None:
            return
        key = AttemptKey(message.key.number, message.retries, before.executions)
        self.world.life_of(before.id).note_start(key, was_over=before.ended_at is not None)

    def starts_at_once(self, row: Row[Any] | None, message: Message) -> bool:
        """Whether the first write of a start records it; PostgreSQL's takes what is Queued, and no other."""
        if not self.world.core.database.returns_alone:
            return True
        return (
            row is not None
            and row.status is TickerStatus.QUEUED
            and not row.has_children
            and row.retry_count == message.retries
        )

    def row_of(self, message: Message) -> Row[Any] | None:
        """The row of a message's run, or None where it was deleted."""
        return self.world.sight.runs.get(message.key.run_id)

    def shown(self, row: Row[Any] | None) -> str:
        """What is worth reading of a run, if there is one."""
        return "no run" if row is None else self.world.shown(row)

    def recent_calls(self) -> list[Message]:
        """The messages of calls that were sent last."""
        return [each for each in self.world.broker.history[-LATEST:] if each.is_call]

    def call_messages(self) -> list[Message]:
        """The calls that the broker has."""
        return [each for each in self.world.broker.messages if each.is_call]

    def waiting_calls(self) -> list[HeldCall]:
        """The calls that workers have prefetched."""
        return [each for each in self._held_calls() if not each.request.is_begun]

    def call_bodies(self) -> list[HeldCall]:
        """The bodies of calls that run."""
        return [each for each in self._held_calls() if each.request.is_begun]

    def _held_calls(self) -> list[HeldCall]:
        return [HeldCall(worker, each) for worker in self.world.workers for each in worker.calls]


def _is_taken(row: Row[Any] | None, message: Message) -> bool:
    """Whether the beginning of an execution is recorded: its claim stands, and no later retry has begun."""
    if row is None or row.claim_no != message.key.number:
        return False
    return row.status is not TickerStatus.IDLE and row.retry_count <= message.retries


def _is_of(row: Row[Any] | None, run: Started) -> bool:
    return row is not None and (row.claim_no, row.executions, row.retry_count) == (
        run.claim_no,
        run.executions,
        run.standing.retry_count,
    )


def _is_lost(row: Row[Any] | None) -> bool:
    return row is not None and row.status is TickerStatus.FAILED and row.exception_type == LOST


def _may_be_discarded(row: Row[Any] | None, message: Message) -> bool:
    """Whether a discarded message ends its run: it waits for its start, or was ended as published."""
    if row is None or row.claim_no != message.key.number or row.retry_count > message.retries:
        return False
    return row.status is TickerStatus.QUEUED or (row.status in SUCCEEDED and row.started_at is None)
