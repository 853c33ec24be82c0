"""The embedded broker: a kombu transport that needs no server, only a folder: ``tickerq-fs:///a/folder``."""

import time
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

from kombu import Connection
from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual

from tickerq_celery.broker.embedded.bindings import BindingFolder
from tickerq_celery.broker.embedded.channel import Channel
from tickerq_celery.broker.embedded.queues import QueueFolder
from tickerq_celery.errors import ConfigError

SCHEME = "tickerq-fs"
FIRST_PAUSE = 0.001
SWEEP_SECONDS = 3600.0


def register() -> None:
    """Make ``tickerq-fs://`` known to kombu, and so to Celery, in this process."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"


def broker_url(folder: Path) -> str:
    """Return the URL of the embedded broker in a folder, which need not exist yet."""
    return f"{SCHEME}://{quote(str(folder.absolute()))}"


def broker_folder(client: Connection) -> Path:
    """Return the folder that a connection's URL names."""
    path = (client.virtual_host or "").strip("/")
    if client.hostname not in (None, "", "localhost") or not path:
        raise ConfigError(
            "broker_url", f"{SCHEME}:// takes an absolute folder, as in {SCHEME}:///var/lib/app"
        )
    return Path("/", path)


class Transport(filesystem.Transport):
    """Kombu's filesystem transport with messages that are never seen half-written, nor taken twice."""

    Channel = Channel  # type: ignore[assignment]  # the stub wants kombu's own file channel
    driver_name = SCHEME
    polling_interval = 0.05
    connection_errors = (*filesystem.Transport.connection_errors, OSError)

    def __init__(self, client: Connection, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        # Kombu's shares one state between all folders, and then leaves out bindings in the second.
        self.state = virtual.BrokerState()
        folder = broker_folder(client)
        self.queues = QueueFolder(folder)
        self.bindings = BindingFolder(folder)
        self._pause = FIRST_PAUSE
        self._sweep_at = 0.0

    def establish_connection(self) -> "Transport":
        self._sweep()
        return super().establish_connection()

    @property
    def default_connection_params(self) -> dict[str, Any]:
        return {}  # kombu warns each time that it takes a host name from here

    def drain_events(  # type: ignore[override]  # as in the stub of kombu's virtual transport
        self, connection: Any, timeout: float | None = None
    ) -> None:
        """Deliver one message, or raise TimeoutError when none came in time.

        The pause between two looks begins short and doubles up to the polling interval, because a look is
        in vain not only when the queue is empty, but also while the worker's prefetch window is full.
        """
        cycle: Any = self.cycle
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                cycle.get(self._deliver, timeout=timeout)
            except Empty:
                self._wait(deadline)
            else:
                self._pause = FIRST_PAUSE
                return

    def _wait(self, deadline: float | None) -> None:
        now = time.monotonic()
        if deadline is not None and now >= deadline:
            raise TimeoutError
        if now >= self._sweep_at:
            self._sweep()
        pause = min(self._pause, self.polling_interval)
        time.sleep(pause if deadline is None else min(pause, deadline - now))
        self._pause = pause * 2

    def _sweep(self) -> None:
        self._sweep_at = time.monotonic() + SWEEP_SECONDS
        self.bindings.remove_queues(self.queues.sweep())
        self.bindings.sweep()
