"""Rules of the signals that a worker's main process handles: lost bodies and revoked claims."""

from hypothesis import strategies as st

from tests.inner import SignalKind
from tests.stateful import promises
from tests.stateful.actions import action
from tests.stateful.broker import LATEST, Key, Message
from tests.stateful.hands import Hands, report_of
from tests.stateful.stage import troubles, which
from tests.stateful.troubles import Troubles
from tests.stateful.workers import Worker


class Reporting(Hands):
    """The ways of an attempt to an end that its body does not write."""

    @action(
        4,
        lambda self: self.bodies(),
        body=which,
        kind=st.sampled_from([None, SignalKind.LOST, SignalKind.TIMED_OUT]),
    )
    def lose_child(self, body: int, kind: SignalKind | None) -> None:
        """A child dies in the body, or is killed at the time limit; its main process may get a signal."""
        held = self.pick(body, self.bodies())
        held.drop()
        self.world.say(f"{self.world.label(held.key.run_id)} is lost by its worker: {kind}")
        if kind is not None:
            held.report(kind)

    @action(3, lambda self: self.idle_workers() and self.revocable(), worker=which, message=which)
    def revoke(self, worker: int, message: int) -> None:
        """A claim is revoked, and a worker that has it, or had it, says so."""
        chosen = self.pick(worker, self.idle_workers())
        key = self.pick(message, [request.message for request in chosen.requests] + self.revocable()).key
        for request in [each for each in chosen.requests if each.message.key == key]:
            chosen.requests.remove(request)
        self.world.revoked.add(key)
        chosen.reports.append(report_of(key, SignalKind.REVOKED))

    def revocable(self) -> list[Message]:
        """The messages of functions' runs that were sent last."""
        return [each for each in self.world.broker.history[-LATEST:] if not each.is_call]

    @action(5, lambda self: self.reporters(), worker=which, again=st.booleans(), troubles=troubles(0, 2))
    def hear(self, worker: int, again: bool, troubles: Troubles) -> None:
        """A worker's main process writes what a signal said; the same may come again."""
        self.write_report(self.pick(worker, self.reporters()), again=again, troubles=troubles)

    def write_report(self, worker: Worker, *, again: bool = False, troubles: Troubles = ()) -> None:
        """Let a worker write its first report."""
        report = worker.reports[0]
        if report.kind is SignalKind.UNKNOWN:
            self.world.released.add(Key(report.ticker_id, report.claim_no))
        came_through = self.act(worker.main, lambda: worker.catch(report), troubles)
        self.look()
        if came_through:
            promises.after_a_report(self.world, report)
        if came_through and not again:
            worker.reports.pop(0)
