"""Health: the findings about store, broker, beats, workers, queues and what waits."""

from typing import Final

from tickerq_celery import validation
from tickerq_celery.enums import NodeKind, NodeKindLike
from tickerq_celery.health import report
from tickerq_celery.managers.asynchronous import AsyncManager, AsyncVerb
from tickerq_celery.managers.unit_of_work import UnitOfWork
from tickerq_celery.tickers.health import HealthReport
from tickerq_celery.tickers.surroundings import Surroundings


class HealthManager:
    """Findings about everything, or about beats or workers alone. It reads, and changes nothing."""

    def __init__(self, storing: UnitOfWork, surroundings: Surroundings) -> None:
        self._core = storing.core
        self._surroundings = surroundings

    def report(self) -> HealthReport:
        """Return all that is well and all that is not: store, broker, beats, workers, queues, what waits.

        It never raises for what it finds: that the store does not answer is a finding as well. The store has
        ``read_budget`` to answer, and the broker five seconds.
        """
        return report.whole(self._core, self._surroundings)

    def probe(self, kind: NodeKindLike, *, host: str | None = None) -> HealthReport:
        """Return the findings about the beats, or the workers, alone: those of a ``host`` if that is given.

        For the probe of a container, which may restart it: nothing counts that a restart would not change.
        So the broker is asked only where a beat is late, which is a warning while it does not answer.

        Raises:
            TickerValidationError: There is no such kind of node.
        """
        wanted = validation.member("kind", kind, NodeKind)
        on = None if host is None else validation.name("host", host, 200)
        return report.probe(self._core, self._surroundings, wanted, on)


class AsyncHealth(AsyncManager):
    """Whether all is well: everything, or beats or workers alone."""

    report: Final = AsyncVerb(HealthManager.report)
    probe: Final = AsyncVerb(HealthManager.probe)
