"""What kombu asks of a channel, on the queues and exchange tables of the embedded broker."""

import logging
import os
import secrets
import time
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import virtual
from kombu.utils.json import dumps, loads

from tickerq_celery.broker.embedded.bindings import Binding, BindingFolder
from tickerq_celery.broker.embedded.queues import QueueFolder, file_name

logger = logging.getLogger(__name__)
SHORTEST_LIFETIME = timedelta(hours=1)
KEEP_SECONDS = 60.0


class Channel(virtual.Channel):
    """A kombu channel whose queues, messages and bindings are files."""

    supports_fanout = True

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._queues: QueueFolder = connection.queues
        self._bindings: BindingFolder = connection.bindings
        self._owner = secrets.token_hex(4)
        self._process = os.getpid()
        self._listed: dict[str, deque[str]] = {}
        self._lifetimes: dict[str, timedelta] = {}
        self._keep_at: dict[str, float] = {}
        self._auto_delete: set[str] = set()

    @property
    def do_restore(self) -> bool:  # type: ignore[override]  # kombu's is a class attribute
        """Whether closing gives back what is not acknowledged: a forked child has none of its parent's."""
        return self._is_own

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:
        return list(self._bindings.table(exchange))

    def queue_unbind(
        self,
        queue: str,
        exchange: str | None = None,
        routing_key: str = "",
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        exchange = exchange or "amq.direct"
        self.state.binding_delete(queue, exchange, routing_key)
        self._bindings.remove(exchange, self._binding(exchange, routing_key, queue, arguments))

    def queue_delete(
        self, queue: str, if_unused: bool = False, if_empty: bool = False, **kwargs: Any
    ) -> None:
        if (if_empty and self._size(queue)) or (if_unused and queue in self._active_queues):
            return
        self.state.queue_bindings_delete(queue)
        self._bindings.remove_queues([file_name(queue)])
        self._queues.delete(queue)
        self._listed.pop(queue, None)

    def basic_cancel(self, consumer_tag: str) -> None:
        """Stop consuming; a queue declared as auto-delete goes with its last consumer."""
        queue = self._tag_to_queue.get(consumer_tag)
        super().basic_cancel(consumer_tag)
        # A forked child closes the channels it inherited, but the queue is its parent's.
        is_ours = queue in self._auto_delete and self._is_own
        if queue is not None and is_ours and queue not in self._active_queues:
            self.queue_delete(queue)

    @property
    def _is_own(self) -> bool:
        return self._process == os.getpid()

    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        expires = (kwargs.get("arguments") or {}).get("x-expires")
        if kwargs.get("auto_delete"):
            self._auto_delete.add(queue)
        if kwargs.get("auto_delete") or expires:
            self._lifetimes[queue] = max(SHORTEST_LIFETIME, timedelta(milliseconds=expires or 0))
        self._queues.create(queue, self._lifetimes.get(queue))

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        return self._queues.has(queue)

    def _size(self, queue: str) -> int:
        return len(self._queues.waiting(queue))

    def _purge(self, queue: str) -> int:
        return self._queues.purge(queue)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        if queue in self._auto_delete and self.typeof(exchange).type == "fanout":
            # Broadcasts to a killed worker are not for the one that took its name: "shutdown" least of all.
            self._queues.purge(queue)
        self._bindings.add(exchange, Binding(routing_key or "", pattern or "", queue))

    def _put_fanout(self, exchange: str, message: Any, routing_key: str, **kwargs: Any) -> None:
        for _, _, queue in self.get_table(exchange):
            self._put(queue, message, **kwargs)

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        body = dumps(message).encode()
        if self._queues.publish(queue, body) or message["properties"]["delivery_info"].get("exchange"):
            return  # a queue that was deleted after the exchange named it gets nothing
        self._queues.create(queue)
        self._queues.publish(queue, body)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for name in self._waiting(queue):
            claimed = self._queues.claim(queue, name, self._owner)
            if claimed is None:
                continue
            message = self._parse(claimed.read_bytes())
            if message is not None:
                claimed.unlink()
                return message
            self._reject(claimed)
        raise Empty

    def _waiting(self, queue: str) -> Iterator[str]:
        """Yield the names listed before, then list again: a listing per message would cost the backlog."""
        listed = self._listed.setdefault(queue, deque())
        while listed:
            yield listed.popleft()
        self._keep(queue)
        listed.extend(self._queues.waiting(queue))
        while listed:
            yield listed.popleft()

    def _parse(self, body: bytes) -> Any:
        try:
            message = loads(body)
            self.Message(message, channel=self)  # what cannot become a message would stop the worker later
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            return None
        return message

    def _reject(self, claimed: Path) -> None:
        path = self._queues.reject(claimed)
        logger.error("quarantined an invalid message file: %s", path, extra={"path": str(path)})

    def _keep(self, queue: str) -> None:
        """Show that a queue with a lifetime is in use; make it again if it was swept during a long pause."""
        now = time.monotonic()
        if queue not in self._lifetimes or now < self._keep_at.get(queue, 0.0):
            return
        self._keep_at[queue] = now + KEEP_SECONDS
        if self._queues.keep(queue):
            return
        self._queues.create(queue, self._lifetimes[queue])
        for exchange, routing_key, arguments in self.state.queue_bindings(queue):
            self._bindings.add(exchange, self._binding(exchange, routing_key, queue, arguments))

    def _binding(
        self, exchange: str, routing_key: str, queue: str, arguments: dict[str, Any] | None
    ) -> Binding:
        row: Any = self.typeof(exchange).prepare_bind(queue, exchange, routing_key, arguments)
        return Binding(row[0] or "", row[1] or "", row[2])
