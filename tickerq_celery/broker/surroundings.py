"""The broker's state and the router's answers, for diagnosis: ``Surroundings`` of a Celery app."""

import threading
import time
from datetime import timedelta

from celery import Celery

from tickerq_celery.broker.address import broker_address
from tickerq_celery.broker.publisher import CeleryPublisher
from tickerq_celery.broker.routes import queue_of
from tickerq_celery.errors import PublishError
from tickerq_celery.payload.codec import RequestCodec
from tickerq_celery.tickers.surroundings import BrokerState
from tickerq_celery.wording import cause_of

_TIMEOUT = 5.0
# In seconds: pages that many people look at ask the broker no more often.
_FRESH = 5.0
# What kombu raises of a transport that is not installed, or is none.
_NO_TRANSPORT = (ImportError, LookupError, ValueError)


class CelerySurroundings:
    """The broker and the router of one app; what the broker answered is kept for a few seconds."""

    def __init__(self, app: Celery, *, codec: RequestCodec, lease: timedelta, address: str) -> None:
        self._app = app
        self._codec = codec
        self._lease = lease
        self._address = address
        self._lock = threading.Lock()
        self._state: BrokerState | None = None
        self._asked_at = 0.0

    def broker_state(self) -> BrokerState:
        """Return what the broker answers now, or a few seconds ago; it never takes longer than 5 s."""
        with self._lock:
            if self._state is None or time.monotonic() - self._asked_at > _FRESH:
                self._state = BrokerState(address=self._address, error=self._error())
                self._asked_at = time.monotonic()
            return self._state

    def broker_address(self) -> str | None:
        """Return where the broker is, in the form of node rows; None where there is no such transport."""
        try:
            return broker_address(self._app)
        except _NO_TRANSPORT:
            return None

    def queue_of(self, function: str, queue: str | None) -> str | None:
        """Return the queue of a function's messages, or None where a route names an exchange only."""
        return queue_of(self._app, function, queue)

    def _error(self) -> str | None:
        publisher = CeleryPublisher(self._app, self._codec, lease=self._lease, connect_timeout=_TIMEOUT)
        try:
            publisher.connect()
        except PublishError as error:
            return f"does not answer: {error.reason}"
        except _NO_TRANSPORT as error:
            return f"cannot be used: {cause_of(error)}"
        finally:
            publisher.close()
        return None
