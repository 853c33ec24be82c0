"""What the workers hold: messages that they have prefetched, bodies that run, reports to write."""

from tests.inner import SignalKind, SignalReport
from tests.stateful.broker import Key, Message
from tests.stateful.stage import Stage
from tests.stateful.workers import Request, Worker


class Held:
    """A request, and the worker that holds it."""

    def __init__(self, worker: Worker, request: Request) -> None:
        self.worker = worker
        self.request = request
        self.key = request.message.key

    def drop(self) -> None:
        """Let the worker know nothing of it any more."""
        self.worker.requests.remove(self.request)

    def report(self, kind: SignalKind) -> None:
        """Notify the worker's main process."""
        self.worker.reports.append(report_of(self.key, kind))


def report_of(key: Key, kind: SignalKind) -> SignalReport:
    """Return what a signal says of a claim."""
    return SignalReport(ticker_id=key.run_id, claim_no=key.number, kind=kind, message=f"worker: {kind.value}")


class Hands(Stage):
    """Looks into the hands of all workers."""

    def reporters(self) -> list[Worker]:
        """The workers that have something to write."""
        return [worker for worker in self.idle_workers() if worker.reports]

    def function_messages(self) -> list[Message]:
        """The messages of functions' runs that the broker has."""
        return [each for each in self.world.broker.messages if not each.is_call]

    def waiting(self) -> list[Held]:
        """All that is prefetched."""
        return [Held(worker, request) for worker in self.world.workers for request in worker.waiting]

    def bodies(self) -> list[Held]:
        """All that runs."""
        return [Held(worker, request) for worker in self.world.workers for request in worker.bodies]
