"""A beat whose passes a test makes one by one, and whose broker is a list."""

from tests.inner import Claimer, Core, Dispatcher, Recorder
from tests.integration.making import ListPublisher
from tests.manual_clock import ManualClock
from tickerq_celery.beat.loss_watch import LossWatch
from tickerq_celery.beat.sweeper import Sweeper


class Beat:
    """A beat that dispatches and sweeps into a list."""

    def __init__(self, core: Core, *, takes: int | None = None) -> None:
        self.core = core
        self.publisher = ListPublisher(takes)
        claimer = Claimer(core)
        self.dispatcher = Dispatcher(core, claimer, self.publisher)
        # By queue, how many messages the broker says that it has; it does not say it of others.
        self.sizes: dict[str, int] = {}
        self.losses = LossWatch(core, lambda flow: flow.queue or "celery", self.sizes.get)
        self.sweeper = Sweeper(core, claimer, self.dispatcher, Recorder(core), self.publisher, self.losses)

    def dispatch(self) -> None:
        self.dispatcher.dispatch(holder=self.core.node.name)

    def sweep(self) -> list[tuple[object, int]]:
        """Do one pass and return the ids and claim numbers that it published."""
        before = len(self.publisher.sent)
        self.sweeper.sweep()
        return [(each.id, each.number) for each in self.publisher.sent[before:]]


def pass_lease(beat: Beat, clock: ManualClock) -> None:
    """Let a beat watch every node for a lease without a sign of life, up to its next look."""
    for _ in range(4):
        beat.sweep()
        clock.advance(seconds=beat.core.config.lease.total_seconds() / 4)
