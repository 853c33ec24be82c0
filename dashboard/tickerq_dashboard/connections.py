"""Connections of the dashboard's own server: none is held open by who sends nothing, or drop by drop."""

import logging
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from waitress.channel import HTTPChannel  # type: ignore[import-untyped]  # it ships no types
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.server import TcpWSGIServer  # type: ignore[import-untyped]

logger = logging.getLogger(__name__)
# In seconds: from a connection, or from the first byte of a further request, to the end of its head; and from
# there to the end of its body. Browsers send either at once.
HEAD_SECONDS, BODY_SECONDS = 10.0, 30.0
# A connection waits for its head so long without being suspect.
_HONEST_SECONDS = 1.0
_WARNED_EACH = 60.0
# Accepted at one look: more may wait than the loop has turns for while it serves others.
_MOST_ACCEPTED = 64


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Takes no request whose body has two lengths: a proxy may go by the other one, and see two requests."""

    def parse_header(self, header_plus: bytes) -> None:
        """Take the head of a request; what is wrong in it is answered 400.

        Raises:
            ParsingError: Something is.
        """
        super().parse_header(header_plus)
        # Of HTTP/1.0 it leaves the one header, of 1.1 it says what that meant.
        is_encoded = self.chunked or "TRANSFER_ENCODING" in self.headers
        if is_encoded and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length beside Transfer-Encoding")


class Connection(HTTPChannel):  # type: ignore[misc]
    """Knows since when it waits for a head or a body."""

    parser_class = Parser

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # The time of a fresh connection's first head runs from here.
        self._since: float | None = time.monotonic()
        self._is_fresh = True
        self._timed: tuple[Any, bool] = (None, False)

    def received(self, data: bytes) -> bool:
        """Take what has come, and note where in a request it ends."""
        taken: bool = super().received(data)
        request = self.request
        timed = (request, request is not None and request.headers_finished)
        if request is None:
            # Empty lines are no request: they gain no time.
            if data.strip():
                self._since, self._is_fresh = None, False
        elif timed != self._timed and (timed[1] or not self._is_fresh):
            self._since = time.monotonic()
        self._timed = timed
        return taken

    @property
    def is_in_body(self) -> bool:
        """Whether the head of a request is there, and its body is not yet."""
        return self._timed[1]

    @property
    def waits_since(self) -> float:
        """Since when it waits for what it waits for; between two requests, since the last byte of one."""
        idle_for = time.time() - self.last_activity
        return time.monotonic() - idle_for if self._since is None else self._since

    def is_overdue(self, now: float) -> bool:
        """Return True if what it waits for takes too long."""
        if self._since is None or self.requests:
            return False
        return now - self._since > (BODY_SECONDS if self.is_in_body else HEAD_SECONDS)

    def drop(self) -> None:
        """Let the next turn of the loop close it: in this one its descriptor may be looked at still."""
        self.will_close = True
        # Else it would wait until a client takes its answer.
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Closes connections that take too long; where there are too many it closes one for each new one."""

    channel_class = Connection
    next_channel_cleanup: float = 0
    _warn_at: float = 0

    def maintenance(self, now: float) -> None:
        """Close what is overdue, or idle for long; called each second."""
        super().maintenance(now)
        moment = time.monotonic()
        for connection in self.active_channels.values():
            if connection.is_overdue(moment):
                connection.drop()

    def readable(self) -> bool:
        """Whether a new connection can be accepted; called at each turn of the loop."""
        now = time.time()
        if now >= self.next_channel_cleanup:
            self.next_channel_cleanup = now + self.adj.cleanup_interval
            self.maintenance(now)
        return self.accepting and (not self._is_full or any(map(is_idle, self._connections())))

    def handle_accept(self) -> None:
        """Accept what has come meanwhile, each in the place of another one where there are too many."""
        # They are looked at once: to do so for each new one takes longer than all else, among hundreds.
        waiting = longest_waiting(self._connections())
        for _ in range(_MOST_ACCEPTED):
            is_full = self._is_full
            longest = next(waiting, None) if is_full else None
            if is_full and longest is None:
                return
            before = len(self._map)
            super().handle_accept()
            if len(self._map) == before:
                return
            if longest is not None:
                self._warn()
                longest.drop()

    def _warn(self) -> None:
        now = time.monotonic()
        if now >= self._warn_at:
            self._warn_at = now + _WARNED_EACH
            logger.warning("too many connections: each new one closes the one that waits longest")

    @property
    def _is_full(self) -> bool:
        return len(self._map) >= int(self.adj.connection_limit)

    def _connections(self) -> Iterator[Connection]:
        # A generator, so that it looks at them when it is first asked.
        for each in self._map.values():
            if isinstance(each, Connection):
                yield each


def is_idle(connection: Connection) -> bool:
    """Whether no request of it is being answered, and it is not being closed."""
    return not (connection.requests or connection.will_close)


def longest_waiting(connections: Iterable[Connection]) -> Iterator[Connection]:
    """Yield those to close where there are too many, as they are when the first one is asked for.

    First come those that wait longest for a head, or between two requests, if for longer than honest clients
    do; then for a body; then for a head.
    """
    honest_since = time.monotonic() - _HONEST_SECONDS

    def rank(each: Connection) -> tuple[bool, bool, float]:
        is_honest = not each.is_in_body and each.waits_since > honest_since
        return is_honest, each.is_in_body, each.waits_since

    yield from sorted(filter(is_idle, connections), key=rank)
