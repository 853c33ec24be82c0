"""What every process of the system is given."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.inner import Claim, Core, Registry, new_identity
from tests.stateful.broker import Broker, BrokerClient
from tests.stateful.troubles import Process, TroubledDatabase


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every process is given: the true store, a broker, and those who look on."""

    core: Core
    broker: Broker
    written: Callable[[Process], None]
    offered: Callable[[Process], None]
    published: Callable[[Process, Claim], None]
    misrouted: Callable[[Claim], None]

    def core_for(self, process: Process, registry: Registry | None = None) -> Core:
        """Return a core with an identity of its own, whose store may fail this process."""
        return replace(
            self.core,
            database=TroubledDatabase(self.core.database, process, self.written),
            registry=self.core.registry if registry is None else registry,
            node=new_identity("test"),
        )

    def client_for(self, process: Process) -> BrokerClient:
        """Return a process's way to the broker."""
        return BrokerClient(
            self.broker,
            process,
            offered=lambda: self.offered(process),
            published=lambda claim: self.published(process, claim),
            misrouted=self.misrouted,
        )
