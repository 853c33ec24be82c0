"""A broker whose messages the machine holds: it loses, repeats and delays them as it likes."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from tests.inner import Claim, Started
from tests.stateful.bodies import TASK
from tests.stateful.troubles import Process
from tickerq_celery.broker.one_by_one import MOST_ONE_BY_ONE, one_by_one
from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import PublishError
from tickerq_celery.tickers.handover import Handover

# Of so many of the last messages one comes again, or is revoked: older claims are long over.
LATEST = 5


class Key(NamedTuple):
    """One claim of one run: what a message names."""

    run_id: UUID
    number: int


class Message(NamedTuple):
    """What a worker is given; ``retries`` is Celery's count, in the message of a Celery task."""

    key: Key
    function: str
    retries: int = 0

    @property
    def is_call(self) -> bool:
        """Whether it calls a task of Celery's, whose body runs whatever the store says."""
        return self.function == TASK


class Call(NamedTuple):
    """What a handler is given: that a claim's attempt was lost, or that its run was cancelled."""

    key: Key
    was_cancelled: bool


class Broker:
    """What it holds, what it was ever sent by whom, and the calls of exception handlers it was asked for."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.history: list[Message] = []
        self.senders: defaultdict[Key, set[str]] = defaultdict(set)
        self.calls: Counter[Call] = Counter()

    def put(self, message: Message, *, sender: str) -> None:
        """Take a message."""
        self.take(message)
        self.senders[message.key].add(sender)

    def take(self, message: Message) -> None:
        """Take a message that Celery itself sends."""
        self.messages.append(message)
        self.history.append(message)


class BrokerClient:
    """One process's way to the broker; it notifies of each claim that is offered, sent, or never can be."""

    def __init__(
        self,
        broker: Broker,
        process: Process,
        *,
        offered: Callable[[], None],
        published: Callable[[Claim], None],
        misrouted: Callable[[Claim], None],
    ) -> None:
        self._broker = broker
        self._process = process
        self._offered = offered
        self._published = published
        self._misrouted = misrouted

    @property
    def most_at_once(self) -> int:
        return MOST_ONE_BY_ONE

    def connect(self) -> None:
        self._process.ask(lambda: None, PublishError("unreachable"))

    def hand_over(self, claims: Sequence[Claim]) -> Handover:
        return one_by_one(claims, self._publish)

    def _publish(self, claim: Claim) -> None:
        def send() -> None:
            self._published(claim)
            message = Message(Key(claim.id, claim.number), claim.function)
            self._broker.put(message, sender=self._process.name)

        self._offered()
        try:
            self._process.ask(send, PublishError("unreachable"), misrouted=LookupError("no such queue"))
        except LookupError:
            self._misrouted(claim)
            raise

    def publish_cancel(self, run: Started, *, terminate: bool) -> None:
        # It reaches no worker: what it says stands in the row, too, and is found with a heartbeat.
        self._process.ask(lambda: None, PublishError("unreachable"))

    def publish_lost(self, run: Started, message: str, *, status: TickerStatus) -> None:
        def call() -> None:
            was_cancelled = status is TickerStatus.CANCELLED
            self._broker.calls[Call(Key(run.id, run.claim_no), was_cancelled)] += 1

        self._process.ask(call, PublishError("unreachable"))
