"""A process's row among the nodes, which may be removed while the process lives; and its version."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from itertools import count

from tickerq_celery.enums import NodeKind
from tickerq_celery.functions.records import definitions_of
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.nodes import nodes
from tickerq_celery.store.nodes.nodes import NodeProfile
from tickerq_celery.store.nodes.vitals import Vitals

VERSION = version("tickerq-celery")


class NodeRegistration:
    """Registers one process and writes its heartbeats.

    A process that was taken for dead and is not registers again with the moment of its first start: it must
    not pass for one that started later. Its counter goes on as well, so that the new row is not mistaken for
    one without a heartbeat. ``measure`` returns what a heartbeat says of the process.
    """

    def __init__(self, profile: NodeProfile, measure: Callable[[], Vitals] = Vitals) -> None:
        self.profile = profile
        self._measure = measure
        self._vitals = Vitals()
        self._started_at: datetime | None = None
        self._is_stopping = False
        # One for each heartbeat, also for one whose commit fails: it may have come through all the same.
        # So no row has had the number that comes next.
        self._numbers = count()

    def measure(self) -> None:
        """Measure what the next heartbeat says: before its transaction, which others may wait for."""
        self._vitals = self._measure()

    def register(self, tx: Transaction) -> None:
        """Write the process's row, or write it anew."""
        self._started_at = nodes.register(
            tx,
            self.profile,
            counter=next(self._numbers),
            started_at=self._started_at,
            vitals=self._vitals,
            is_stopping=self._is_stopping,
        )

    def stop(self) -> None:
        """Let the next heartbeat say that the process takes no more runs."""
        self._is_stopping = True

    def beat(self, tx: Transaction) -> bool:
        """Write a heartbeat, by registering where there is no row; return True if there was one."""
        if not nodes.beat(tx, self.profile.id, vitals=self._vitals, is_stopping=self._is_stopping):
            self.register(tx)
            return False
        next(self._numbers)
        return True


def profile(
    core: Core,
    kind: NodeKind,
    *,
    queues: Sequence[str] = (),
    broker: str | None = None,
    pool: str | None = None,
    concurrency: int | None = None,
    prefetch: int | None = None,
    entries: Sequence[str] | None = None,
) -> NodeProfile:
    """Return what this process writes in its node row."""
    return NodeProfile(
        id=core.node.id,
        namespace=core.config.namespace,
        kind=kind,
        name=core.node.name,
        host=core.node.host,
        pid=core.node.pid,
        version=VERSION,
        queues=queues,
        broker=broker,
        pool=pool,
        concurrency=concurrency,
        prefetch=prefetch,
        heartbeat=core.config.heartbeat,
        lease=core.config.lease,
        entries=entries,
        functions={function.name: function.limits for function in core.registry},
        definitions=_definitions(core, kind),
    )


def _definitions(core: Core, kind: NodeKind) -> Mapping[str, str]:
    # Workers' are compared, and those of a beat only listed: it need not load pydantic for their schemas.
    if kind is NodeKind.BEAT:
        return dict.fromkeys((function.name for function in core.registry), "")
    return definitions_of(core.registry)
