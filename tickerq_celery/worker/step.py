"""The part that a TickerQ adds to a worker's blueprint: what it does is imported in a worker only."""

from typing import TYPE_CHECKING, Any, ClassVar

from celery import bootsteps

from tickerq_celery.deferred import Deferred
from tickerq_celery.worker.parts import ProcessParts, WorkerParts

if TYPE_CHECKING:
    from tickerq_celery.worker.main_process import MainProcess
else:
    MainProcess = Deferred("tickerq_celery.worker.main_process", "MainProcess")


class NodeStep(bootsteps.StartStopStep):
    """Runs in the worker's main process from before the first message until the pool has ended."""

    requires = ("celery.worker.components:Pool",)
    process: ClassVar[ProcessParts[WorkerParts]]

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._main = MainProcess(worker, self.process)

    def start(self, worker: Any) -> None:
        self._main.start(worker)

    def close(self, worker: Any) -> None:
        """Let the node's row say that the worker consumes no more: it may wait long for what it has begun."""
        self._main.announce_stop()

    def stop(self, worker: Any) -> None:
        """Do nothing yet: what still runs needs its signs of life until Celery's ``worker_shutdown``."""

    def terminate(self, worker: Any) -> None:
        """Do nothing yet, as ``stop``."""
